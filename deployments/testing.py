"""Helpers for tests: deployments of ours, and what the orchestrator says of them."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from deployments.models import Deployment
from deployments.states import ENDED, Status


def make_deployment(owner: User, **fields: Any) -> Deployment:
    """A deployment of ``owner``, complete unless told otherwise; what belongs together is derived."""
    now = timezone.now()
    status = fields.get("status", Status.CREATE_COMPLETE)
    named = status not in {Status.SUBMITTING, Status.UNCERTAIN}
    values: dict[str, Any] = {
        "uuid": str(uuid.uuid4()) if named else None,
        "submission_key": uuid.uuid4(),
        "issuer": owner.issuer,
        "subject": owner.subject,
        "title": "Alpine plants",
        "module_slug": "deep-oc-plants",
        "choices": {"hardware": "cpu", "run": "deepaas", "docker_tag": "cpu", "toscaname": "default"},
        "status": status,
        "known_status": "" if status == Status.UNKNOWN else status,
        "status_since": now,
        "seen_at": now - timedelta(minutes=1) if named else None,
        "gone_at": now if status in ENDED else None,
        "created_at": now - timedelta(hours=1),
        "callback_secret": uuid.uuid4().hex,
    }
    return Deployment.objects.create(owner=owner, **(values | fields))


def upstream(deployment_uuid: str = "", *, owner: User | None = None, **fields: Any) -> dict[str, Any]:
    """A deployment as the orchestrator writes it (contract 1.7); keywords by its own names, None leaves one out."""
    made = datetime.now(UTC) - timedelta(hours=1)
    values: dict[str, Any] = {
        "uuid": deployment_uuid or str(uuid.uuid4()),
        "creationTime": made.strftime("%Y-%m-%dT%H:%M+0000"),
        "updateTime": made.strftime("%Y-%m-%dT%H:%M+0000"),
        "status": "CREATE_IN_PROGRESS",
        "task": "NONE",
        "outputs": {},
        "links": [],
        "createdBy": {"issuer": f"{owner.issuer}/", "subject": owner.subject} if owner else None,
    }
    return {name: value for name, value in (values | fields).items() if value is not None}


def listing(*items: dict[str, Any], following: str = "") -> dict[str, Any]:
    """A page of the orchestrator's list (contract 1.6)."""
    links = [{"rel": "next", "href": following}] if following else []
    return {"links": links, "content": list(items), "page": {"size": 2000, "totalElements": len(items), "number": 0}}
