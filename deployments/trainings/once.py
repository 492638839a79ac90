"""One press of a button, one start: what makes a form that is sent twice the same start."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from django.utils.crypto import salted_hmac

if TYPE_CHECKING:
    from deployments.models import Deployment
    from deployments.trainings.services import Call


def start_key(
    form_key: str, deployment: "Deployment", model: str, call: "Call", axes: Mapping[str, Sequence[Any]] | None = None
) -> UUID:
    """The key under which a form's start is put on record: the same for the same form with the same content.

    ``form_key`` is the random one that the page was made with; a text that is none makes every start its own. What
    was typed is part of it, since a browser may bring a page back with its old key, where other arguments mean
    another training. So is the owner: nobody meets a record of others by making up a key.
    """
    try:
        salt = UUID(form_key)
    except ValueError:
        return uuid4()
    files = [*call.upload.files, len(call.upload)] if call.upload else []
    content = [deployment.owner_id, deployment.pk, model, call.params, call.headers, files, axes or {}]
    # Secrets are in it: only who knows SECRET_KEY and the form's own key, which is not kept, could try values.
    digest = salted_hmac(str(salt), json.dumps(content, sort_keys=True, default=str), algorithm="sha256").digest()
    return UUID(bytes=digest[:16], version=4)
