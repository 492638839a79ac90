"""Is IAM reachable, does it know this dashboard, will it send users back here."""

from collections.abc import Iterator

from django.conf import settings
from django.urls import reverse

from accounts import iam
from accounts.discovery import Provider, iam_session, jwks_again, provider
from accounts.oidc import CALLBACK
from deepdash.config import config
from deepdash.doctor import Finding, certificate, drift, examination, fail, failed_call, ok, warn
from deepdash.http import ServiceError


@examination
def signing_in() -> Iterator[Finding]:
    if not config.IAM_BASE_URL:
        yield warn("IAM", "It is not configured: nobody can sign in.", "Set IAM_BASE_URL and register a client there.")
        return
    try:
        answer = iam_session().get("/.well-known/openid-configuration")
        answer.parse(Provider)  # now, not as it is remembered
        found = provider()
        keys = len(jwks_again())
    except ServiceError as error:
        yield failed_call("IAM", "IAM_BASE_URL", error)
        return
    if keys:
        yield ok("IAM", f"{found.issuer} answers, {keys} keys for signatures.")
    else:
        yield fail("IAM", f"{found.issuer} has no RSA key for signatures.", "Give it one (RS256).")
    yield from drift("IAM", answer)
    yield from certificate("IAM", config.IAM_BASE_URL, settings.OIDC_VERIFY_SSL)
    yield from _redirect_uri(found.authorization_endpoint)
    yield _client()


def _redirect_uri(endpoint: str) -> Iterator[Finding]:
    path = reverse(CALLBACK)
    if not config.PUBLIC_URL:
        yield warn(
            "IAM: redirect URI",
            f"It follows the address that users type, since PUBLIC_URL is not set; registered must be <that>{path}.",
            "Set PUBLIC_URL.",
        )
        return
    uri = f"{config.PUBLIC_URL}{path}"
    query = {"response_type": "code", "client_id": config.IAM_CLIENT_ID, "redirect_uri": uri, "scope": "openid"}
    try:
        iam_session().get(endpoint, params=query)
    except ServiceError as error:
        if error.unavailable:
            yield failed_call("IAM: redirect URI", "IAM_BASE_URL", error)
        else:
            mend = f"Register exactly {uri} for the client {config.IAM_CLIENT_ID} at IAM, or mend PUBLIC_URL."
            yield fail("IAM: redirect URI", f"IAM refuses {uri} ({error.http_status}).", mend)
        return
    # IAM may ask who one is before it looks at the address; then only a sign-in can tell.
    yield ok("IAM: redirect URI", f"{uri} was not refused.")


def _client() -> Finding:
    """A code that can't be right: who knows our secret says so (invalid_grant), who does not refuses us."""
    form = {"grant_type": "authorization_code", "code": "asked-by-doctor",
            "redirect_uri": f"{config.PUBLIC_URL}{reverse(CALLBACK)}"}  # fmt: skip
    try:
        iam.token_by_code(form)
    except iam.GrantRefused:
        return ok("IAM: client", f"IAM knows {config.IAM_CLIENT_ID} and its secret.")
    except ServiceError as error:
        if error.unavailable:
            return failed_call("IAM: client", "IAM_BASE_URL", error)
        mend = "Copy IAM_CLIENT_ID and IAM_CLIENT_SECRET from the client's page at IAM."
        return fail("IAM: client", f"IAM refuses this dashboard's client ({error.http_status}).", mend)
    return warn("IAM: client", "IAM accepted a code that was made up.", "Look into IAM.")
