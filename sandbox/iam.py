"""Stand-in of INDIGO IAM: an OpenID provider (contract 9) whose log-in is a choice among a few people."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aiohttp import web
from yarl import URL

from sandbox import oauth, pages, tokens
from sandbox.iam_tokens import DEVICE_CODE, TOKEN_EXCHANGE, TokenEndpoints
from sandbox.people import BY_KEY, Person
from sandbox.sent import fields_of
from sandbox.world import Part

if TYPE_CHECKING:
    from sandbox.world import World

# Cookies know no ports: the name must not meet one of the dashboard's on the same host.
SESSION_COOKIE = "SANDBOX_IAM_SESSION"
SESSION_LIFETIME = 12 * 3600
_CHOICES = ("person", "deny")
_NO_STORE = {"Cache-Control": "no-store"}


@dataclass
class Session:
    """A browser that is signed in; times in seconds since the epoch."""

    person: str
    auth_time: int
    expires: float


class Iam(Part):
    """Browser side of the provider, and what it keeps: sessions, codes and (in the world) tokens."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.endpoints = TokenEndpoints(world)
        self.sessions: dict[str, Session] = {}

    async def reset(self) -> None:
        self.sessions.clear()
        self.endpoints.codes.clear()
        self.world.tokens.clear()

    def dump(self) -> dict[str, Any]:
        return {
            "tokens": self.world.tokens.dump(),
            "sessions": {k: vars(v) for k, v in self.sessions.items()},
        }

    def load(self, data: Any) -> None:
        self.world.tokens.load(data["tokens"])
        self.sessions = {key: Session(**session) for key, session in data["sessions"].items()}

    def summary(self) -> dict[str, Any]:
        return {"sessions": len(self.sessions), "refresh tokens": len(self.world.tokens.refresh_tokens)}

    # -- the authorization endpoint -------------------------------------------------------------------------

    async def authorize(self, request: web.Request) -> web.Response:
        """Ask who the person is, or go straight through for a browser that is signed in (contract 9.2)."""
        sent = dict(request.query) if request.method == "GET" else await fields_of(request)
        choice = {name: sent.pop(name) for name in _CHOICES if name in sent}
        if request.method == "GET":
            choice = {}
        # Where these two are wrong nothing may be sent back to the address (RFC 6749, 4.1.2.1).
        if sent.get("client_id") != oauth.CLIENT_ID:
            return _refuse("Unknown client", "The client_id of this request is not registered here.")
        redirect_uri = sent.get("redirect_uri", "")
        if not oauth.redirect_allowed(self.world, redirect_uri):
            return _refuse(
                "Invalid redirect", f"The redirect URI {redirect_uri!r} does not match the registered value."
            )
        problem = _problem(sent)
        if problem:
            return _back(sent, error=problem[0], error_description=problem[1])
        if "deny" in choice:
            return _back(sent, error="access_denied", error_description="User denied access")
        prompts = sent.get("prompt", "").split()
        if "person" in choice:
            person = BY_KEY.get(choice["person"])
            if person is None:
                return self._pick(sent, "There is no such person.")
            key = self._sign_in(person)
            response = self._grant(sent, self.sessions[key])
            self._set_cookie(response, key)
            return response
        session = self._session(request)
        if session is not None and "login" not in prompts:
            return self._grant(sent, session)
        if "none" in prompts:
            return _back(sent, error="login_required", error_description="Nobody is signed in")
        return self._pick(sent)

    def _pick(self, sent: dict[str, str], note: str | None = None) -> web.Response:
        return _page(pages.picker(f"{self.world.base_url}/iam/authorize", sent, oauth.CLIENT_NAME, note))

    def _grant(self, sent: dict[str, str], session: Session) -> web.Response:
        now = self.world.now()
        codes = self.endpoints.codes
        for code in [code for code, grant in codes.items() if grant.expires <= now]:
            del codes[code]
        code = tokens.random_code()
        codes[code] = oauth.Grant(
            person=BY_KEY[session.person],
            redirect_uri=sent["redirect_uri"],
            scopes=sent.get("scope", "").split() or list(tokens.DASHBOARD_SCOPES),
            nonce=sent.get("nonce"),
            challenge=sent.get("code_challenge"),
            challenge_method=sent.get("code_challenge_method", "plain"),
            expires=now + self.world.settings.code_lifetime,
            auth_time=session.auth_time,
        )
        return _back(sent, code=code)

    # -- signing in and out ---------------------------------------------------------------------------------

    async def login(self, request: web.Request) -> web.Response:
        """The provider's own log-in page, without a client that asks."""
        if request.method == "POST":
            person = BY_KEY.get((await fields_of(request)).get("person", ""))
            if person is not None:
                response = _redirect(f"{self.world.base_url}/iam/")
                self._set_cookie(response, self._sign_in(person))
                return response
        note = "You have been signed out." if "logout" in request.query else None
        return _page(pages.picker(f"{self.world.base_url}/iam/login", {}, None, note))

    async def logout(self, request: web.Request) -> web.Response:
        """End the browser's session. A call without its cookie ends nothing (contract 9.1)."""
        if self.sessions.pop(request.cookies.get(SESSION_COOKIE, ""), None):
            self.world.persist()
        response = _redirect(f"{self.world.base_url}/iam/login?logout")
        response.del_cookie(SESSION_COOKIE, path="/")
        return response

    async def home(self, request: web.Request) -> web.Response:
        session = self._session(request)
        if session is None:
            return _redirect(f"{self.world.base_url}/iam/login")
        return _page(pages.message("Signed in", f"You are {BY_KEY[session.person].name}."))

    async def about(self, _request: web.Request) -> web.Response:
        return _page(pages.message("About", "An identity provider for trying the training dashboard out."))

    def _sign_in(self, person: Person) -> str:
        now = self.world.now()
        self.sessions = {key: session for key, session in self.sessions.items() if session.expires > now}
        key = tokens.random_code()
        self.sessions[key] = Session(person.key, int(now), now + SESSION_LIFETIME)
        self.world.persist()
        return key

    def _session(self, request: web.Request) -> Session | None:
        session = self.sessions.get(request.cookies.get(SESSION_COOKIE, ""))
        return session if session and session.expires > self.world.now() else None

    def _set_cookie(self, response: web.Response, key: str) -> None:
        secure = self.world.base_url.startswith("https:")
        response.set_cookie(
            SESSION_COOKIE,
            key,
            path="/",
            max_age=SESSION_LIFETIME,
            httponly=True,
            samesite="Lax",
            secure=secure,
        )

    # -- what the provider says of itself -------------------------------------------------------------------

    async def discovery(self, _request: web.Request) -> web.Response:
        return web.json_response(discovery_document(f"{self.world.base_url}/iam"))

    async def jwk(self, _request: web.Request) -> web.Response:
        return web.json_response(self.world.tokens.jwks())


def part(world: World) -> Iam:
    return Iam(world)


def routes(world: World) -> list[web.RouteDef]:
    iam = world.parts["iam"]
    assert isinstance(iam, Iam)
    endpoints = iam.endpoints
    return [
        web.get("/", iam.home),
        web.get("/about", iam.about),
        web.get("/.well-known/openid-configuration", iam.discovery),
        web.get("/jwk", iam.jwk),
        web.get("/authorize", iam.authorize),
        web.post("/authorize", iam.authorize),
        web.get("/login", iam.login),
        web.post("/login", iam.login),
        web.get("/logout", iam.logout),
        web.post("/token", endpoints.token),
        web.post("/devicecode", endpoints.device_code),
        web.post("/introspect", endpoints.introspect),
        web.post("/revoke", endpoints.revoke),
        web.get("/userinfo", endpoints.userinfo),
        web.post("/userinfo", endpoints.userinfo),
        web.get("/iam/group/search", endpoints.groups),
    ]


def discovery_document(base: str) -> dict[str, Any]:
    """Return the discovery document (contract 9.1): no ``end_session_endpoint``, issuer with a slash."""
    algorithms = ["RS256"]
    return {
        "issuer": f"{base}/",
        "authorization_endpoint": f"{base}/authorize",
        "token_endpoint": f"{base}/token",
        "userinfo_endpoint": f"{base}/userinfo",
        "jwks_uri": f"{base}/jwk",
        "introspection_endpoint": f"{base}/introspect",
        "revocation_endpoint": f"{base}/revoke",
        "device_authorization_endpoint": f"{base}/devicecode",
        "registration_endpoint": f"{base}/iam/api/client-registration",
        "scim_endpoint": f"{base}/scim",
        "op_policy_uri": f"{base}/about",
        "op_tos_uri": f"{base}/about",
        "response_types_supported": ["code", "token"],
        "grant_types_supported": [
            "authorization_code",
            "implicit",
            "refresh_token",
            "client_credentials",
            "password",
            TOKEN_EXCHANGE,
            DEVICE_CODE,
        ],
        "subject_types_supported": ["public", "pairwise"],
        "id_token_signing_alg_values_supported": algorithms,
        "userinfo_signing_alg_values_supported": algorithms,
        "request_object_signing_alg_values_supported": algorithms,
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "token_endpoint_auth_methods_supported": [
            "client_secret_basic",
            "client_secret_post",
            "client_secret_jwt",
            "private_key_jwt",
            "none",
        ],
        "scopes_supported": sorted(tokens.CLIENT_SCOPES),
        "claims_supported": [
            "sub",
            "name",
            "preferred_username",
            "given_name",
            "family_name",
            "updated_at",
            "email",
            "email_verified",
            "organisation_name",
            "groups",
        ],
        "code_challenge_methods_supported": ["plain", "S256"],
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "require_request_uri_registration": False,
    }


def _problem(sent: dict[str, str]) -> tuple[str, str] | None:
    """Return error and description for an authorization request that cannot be met."""
    if sent.get("response_type") != "code":
        return "unsupported_response_type", f"Unsupported response types: [{sent.get('response_type', '')}]"
    unknown = set(sent.get("scope", "").split()) - tokens.CLIENT_SCOPES
    if unknown:
        return "invalid_scope", f"Invalid scope: {' '.join(sorted(unknown))}"
    if sent.get("code_challenge_method", "plain") not in ("plain", "S256"):
        return "invalid_request", "Unsupported code challenge method"
    return None


def _back(sent: dict[str, str], **answer: str) -> web.Response:
    """Send the browser back to the client; ``state`` is returned untouched."""
    if "state" in sent:
        answer["state"] = sent["state"]
    return _redirect(str(URL(sent["redirect_uri"], encoded=True).update_query(answer)))


def _redirect(location: str) -> web.Response:
    return web.Response(status=HTTPStatus.FOUND, headers={"Location": location, **_NO_STORE})


def _refuse(title: str, text: str) -> web.Response:
    response = _page(pages.message(title, text))
    response.set_status(HTTPStatus.BAD_REQUEST)
    return response


def _page(text: str) -> web.Response:
    return web.Response(text=text, content_type="text/html", headers=_NO_STORE)
