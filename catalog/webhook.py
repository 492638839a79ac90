"""``POST /reload``: GitHub tells of pushes (contract 8).

In this order: size, secret, signature over the raw body, and only then is anything of it parsed. The answer is given
at once; the refresh is left as a wish in the database, in the same transaction that records the delivery.
"""

import hashlib
import hmac
import json
import logging
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from django.contrib.auth.decorators import login_not_required
from django.db import IntegrityError, transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from catalog.models import RefreshRun, WebhookDelivery
from catalog.services import refresh_request
from catalog.sources.places import BRANCHES
from deepdash.addresses import client_address
from deepdash.config import config
from deepdash.errors import Problem
from deepdash.inert import one_line
from deepdash.limits import count

log = logging.getLogger(__name__)
# Ten a second for a minute is more than the pushes of all watched repositories together ever were. What nobody signed
# is counted apart and per address, so that a stranger can use up neither GitHub's turns nor others'.
GENUINE_A_MINUTE, OTHERS_A_MINUTE = 600, 60
# GitHub delivers up to 25 MB, which takes thousands of commits in one push; the scheduled refresh makes up for those.
MAX_BYTES = 5 * 1024 * 1024
FORM = "application/x-www-form-urlencoded"
Verdict = WebhookDelivery.Verdict


@dataclass(frozen=True)
class Judgement:
    """What is made of a delivery: a verdict, the status GitHub gets, and words for people."""

    verdict: WebhookDelivery.Verdict
    status: int
    words: str
    genuine: bool = True
    repository: str = ""
    ref: str = ""


@login_not_required
@csrf_exempt  # GitHub has no session; the signature says who speaks
@require_POST
def reload(request: HttpRequest) -> HttpResponse:
    """Take a delivery: 202 when a refresh follows, 200 when none is needed, 4xx for what is no delivery of ours."""
    judgement = judge(request)
    who, limit = ("GitHub", GENUINE_A_MINUTE) if judgement.genuine else (client_address(request), OTHERS_A_MINUTE)
    try:
        count("webhook", who, limit=limit, seconds=60)
    except Problem as problem:
        seconds = str(problem.facts["seconds"])
        answer = f"Too many deliveries; again in {seconds} seconds."
        return JsonResponse({"answer": answer}, status=problem.status, headers={"Retry-After": seconds})
    delivery = _text(request.headers.get("X-GitHub-Delivery"), 64)
    try:
        with transaction.atomic():
            _record(request, judgement, delivery)
    except IntegrityError:
        WebhookDelivery.objects.filter(delivery=delivery, genuine=True).update(repeats=F("repeats") + 1)
        return JsonResponse({"answer": "This delivery came before; nothing more is done."})
    if judgement.status >= 400:
        log.warning("a delivery from %s was not taken: %s", client_address(request), judgement.words)
    WebhookDelivery.forget_oldest(genuine=judgement.genuine)
    return JsonResponse({"answer": judgement.words}, status=judgement.status)


def _record(request: HttpRequest, judgement: Judgement, delivery: str) -> None:
    """Store the delivery and the refresh it asks for, or neither. Raises IntegrityError for a repeated one."""
    row = WebhookDelivery.objects.create(
        delivery=delivery,
        event=_text(request.headers.get("X-GitHub-Event"), 64),
        repository=judgement.repository,
        ref=judgement.ref,
        verdict=judgement.verdict,
        answer=f"{judgement.status} {judgement.words}",
        genuine=judgement.genuine,
    )
    if judgement.verdict == Verdict.QUEUED:
        row.run = refresh_request(trigger=RefreshRun.Trigger.WEBHOOK)
        row.save(update_fields=["run"])


def judge(request: HttpRequest) -> Judgement:
    """Look at a delivery without doing anything about it."""
    body = _body(request)
    if body is None:
        return Judgement(Verdict.LARGE, 413, f"More than {MAX_BYTES // 1024 // 1024} MiB.", genuine=False)
    if not config.GITHUB_SECRET.get_secret_value() and not config.WEBHOOK_ALLOW_UNSIGNED:
        return Judgement(Verdict.CLOSED, 403, "No webhook secret is set here, so none can be trusted.", genuine=False)
    refusal = signature_refusal(request, body)
    if refusal:
        return Judgement(Verdict.FORGED, 403, refusal, genuine=False)
    try:
        payload = _payload(request, body)
    except (ValueError, RecursionError):
        return Judgement(Verdict.MALFORMED, 400, "The body is no payload of a webhook.")
    event = request.headers.get("X-GitHub-Event", "")
    about = payload.get("repository")
    repository = about if isinstance(about, dict) else {}
    name, ref = _text(repository.get("full_name"), 200), _text(payload.get("ref"), 255)
    if event == "ping":
        return Judgement(Verdict.PING, 200, "Hello. Pushes will refresh the catalogue.", repository=name)
    if event != "push":
        return Judgement(Verdict.OTHER, 200, "Only pushes refresh the catalogue.", repository=name, ref=ref)
    if not is_watched(name, ref, _text(repository.get("default_branch"), 255)):
        return Judgement(Verdict.UNWATCHED, 200, "This branch is not watched.", repository=name, ref=ref)
    return Judgement(Verdict.QUEUED, 202, "The catalogue will be refreshed.", repository=name, ref=ref)


def signature_refusal(request: HttpRequest, body: bytes) -> str:
    """Why the body is not taken as signed with our secret; "" when it is, or when there is no secret."""
    secret = config.GITHUB_SECRET.get_secret_value().encode()
    if not secret:
        return ""
    for header, name in (("X-Hub-Signature-256", "sha256"), ("X-Hub-Signature", "sha1")):
        given = request.headers.get(header, "")
        if not given:
            continue
        if name == "sha1" and not config.WEBHOOK_ALLOW_SHA1:
            return "It is signed with SHA-1 alone, which is not taken."
        wanted = f"{name}={hmac.new(secret, body, getattr(hashlib, name)).hexdigest()}"
        # As bytes: compare_digest refuses texts with anything but ASCII, and a header may hold that.
        return "" if hmac.compare_digest(wanted.encode(), given.encode()) else "The signature does not fit."
    return "It is not signed."


def is_watched(repository: str, ref: str, default_branch: str) -> bool:
    """Whether a push to a ref concerns the catalogue (WEBHOOK_REPOSITORIES; none given: all repositories).

    Without ``@branch`` the default branch counts, and those that metadata is read from, whichever is the default.
    Names compare without case, as GitHub does; branches do not.
    """
    kind, _, branch = ref.partition("refs/heads/")
    if kind or not branch or not repository:
        return False
    usual = branch == default_branch or branch in BRANCHES
    owner = repository.partition("/")[0].casefold()
    for watched in config.WEBHOOK_REPOSITORIES or ["*"]:
        name, _, only = watched.partition("@")
        if name.casefold() in {"*", f"{owner}/*", repository.casefold()} and (branch == only if only else usual):
            return True
    return False


def _body(request: HttpRequest) -> bytes | None:
    """The raw body, or None when it is too large; never more of it than allowed is held."""
    try:
        announced = int(request.headers.get("Content-Length") or 0)
    except ValueError:
        announced = 0
    if announced > MAX_BYTES:
        return None
    body = request.read(MAX_BYTES + 1)
    return body if len(body) <= MAX_BYTES else None


def _payload(request: HttpRequest, body: bytes) -> dict[str, Any]:
    """The JSON object that was sent as such or as the field of a form. Raises ValueError, RecursionError."""
    text: str | bytes = body
    if request.content_type == FORM:
        fields = parse_qs(body.decode(), strict_parsing=True, max_num_fields=20)
        text = fields.get("payload", [""])[0]
    payload = json.loads(text)
    if not isinstance(payload, dict):
        raise ValueError("no object")
    return payload


def _text(value: Any, length: int) -> str:
    """A text that any database takes, cut to its column; anything else is empty."""
    if not isinstance(value, str):
        return ""
    return one_line(value[:length]).encode(errors="replace").decode()[:length]
