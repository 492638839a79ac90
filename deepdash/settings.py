"""Django's settings, all derived from ``deepdash.config``. Only configuration differs between sites."""

import os
import secrets
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from cryptography.fernet import Fernet
from csp.constants import NONE, SELF

from deepdash.config import BASE_DIR, CANNOT_START, config
from deepdash.secrets import kept_secret


def _host(url: str) -> str:
    """The host of an address as a request names it: small letters, brackets around a number of IPv6; "" for none."""
    host = urlsplit(url).hostname or ""
    return f"[{host}]" if ":" in host else host


def _kept(name: str, key: str, make: Callable[[], str]) -> str:
    """A secret of this host's own; a folder that can't hold it ends the process in words."""
    try:
        return kept_secret(DATA_DIR, name, make)
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else error
        print(
            f"The dashboard does not start:\n  - {DATA_DIR / name}: {said}.\n    {key} is kept there while it is not "
            f"configured. Let user {os.getuid()}, group {os.getgid()} write to DATA_DIR and read what is there, or set "
            f"{key}.",
            file=sys.stderr,
            flush=True,
        )
        raise SystemExit(CANNOT_START) from None


DATA_DIR = config.data_dir
DEBUG = config.DEBUG
SECRET_KEY = config.SECRET_KEY.get_secret_value() or _kept(
    "secret-key", "SECRET_KEY", lambda: secrets.token_urlsafe(50)
)
TOKEN_KEYS = [key.get_secret_value() for key in config.TOKEN_KEYS] or [
    _kept("token-key", "TOKEN_KEYS", lambda: Fernet.generate_key().decode())
]
ALLOWED_HOSTS = [*config.ALLOWED_HOSTS, *filter(None, [_host(config.PUBLIC_URL)])]
ENABLE_HTTPS = os.environ.get("ENABLE_HTTPS", "").lower() in {"true", "yes", "on", "1"}  # gunicorn itself speaks TLS
# Users reach us over https: it says so, gunicorn does it, or a proxy is in front and nothing says otherwise.
PUBLIC_HTTPS = (
    config.PUBLIC_URL.startswith("https://") if config.PUBLIC_URL else ENABLE_HTTPS or config.TRUSTED_PROXIES > 0
)
CSRF_TRUSTED_ORIGINS = [config.PUBLIC_URL] if config.PUBLIC_URL else []

INSTALLED_APPS = [
    "deepdash.admin.DeepdashAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",  # its widget templates, beside ours
    "django_htmx",
    "csp",
    "mozilla_django_oidc",
    "deepdash",
    "accounts",
    "catalog",
    "deployments",
]

MIDDLEWARE = [
    "deepdash.middleware.headers_alone",
    "deepdash.middleware.request_id",
    "deepdash.middleware.measure",
    "deepdash.middleware.permissions_policy",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Pages only: static files lie there compressed. It pads answers by a random length, and the CSRF token in them is
    # masked anew each time, so that lengths tell nothing of their secrets (BREACH).
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",  # the browser's language; a user's own choice wins below
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.middleware.language",
    "accounts.middleware.time_zone",
    "deepdash.middleware.ProblemMiddleware",
    "accounts.middleware.LoginMiddleware",
]

ROOT_URLCONF = "deepdash.urls"
WSGI_APPLICATION = "deepdash.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "deepdash.context.site",
                "catalog.context.external_links",
                "deployments.context.bell",
                "deployments.context.strips",
            ],
            "builtins": [
                "deepdash.templatetags.ui",
                "django.contrib.humanize.templatetags.humanize",
                "django.templatetags.i18n",
            ],
        },
    }
]
FORM_RENDERER = "deepdash.forms.Renderer"


def _database(url: str) -> dict[str, Any]:
    """Django's database settings from ``postgres://``; without an address SQLite, tuned to be shared."""
    if not url:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": DATA_DIR / "deepdash.sqlite3",
            "OPTIONS": {
                # Writers queue instead of failing with "database is locked", readers never wait for them.
                "timeout": 20,
                "transaction_mode": "IMMEDIATE",
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            },
        }
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 5, **dict(parse_qsl(parts.query))},  # sslmode and its likes, as libpq has them
    }


DATABASES = {"default": _database(config.DATABASE_URL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

EMBEDDED = not config.REDIS_URL
# Said in full for the queue: Celery on its own takes any certificate of a rediss:// address.
REDIS_TLS: dict[str, Any] = (
    {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True}
    | ({"ssl_ca_path" if Path(config.REDIS_CERT).is_dir() else "ssl_ca_certs": config.REDIS_CERT}
       if config.REDIS_CERT else {})
    if config.REDIS_URL.startswith("rediss://")
    else {}
)  # fmt: skip


def _cache() -> dict[str, Any]:
    """Redis; without it this process's memory, or, when gunicorn runs several processes, the database."""
    if not EMBEDDED:
        return {
            "BACKEND": "deepdash.cache.ForgivingRedisCache",
            "LOCATION": f"{config.REDIS_URL}/1",
            "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 2, **REDIS_TLS},
        }
    if os.environ.get("WORKERS", "").strip() not in {"", "1"}:  # gunicorn.conf.py says what is no number
        # Counters, locks and what one process has learnt must be the others' too.
        return {
            "BACKEND": "deepdash.database_cache.CountingDatabaseCache",
            "LOCATION": "deepdash_cache",
            "OPTIONS": {"MAX_ENTRIES": 10_000},
        }
    return {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}


CACHES = {
    "default": _cache(),
    # Pieces of pages that are the same for many readers. Their names say all they depend on, so each process may
    # have its own and none has to be told of a change.
    "fragments": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "fragments",
        "OPTIONS": {"MAX_ENTRIES": 150},
    },
}
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_NAME = "deepdash_session"

# -- Background work: the same tasks run by workers (Redis) or by threads of this process (embedded). --------
# A database number of its own for the queue: the cache is emptied at times, and evicts when it is told to.
CELERY_BROKER_URL = "memory://" if EMBEDDED else f"{config.REDIS_URL}/0"
CELERY_BROKER_USE_SSL = REDIS_TLS or None
CELERY_TASK_DEFAULT_QUEUE = "deepdash"  # a Redis may be shared with others
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = (
    {}
    if EMBEDDED
    else {
        # A message that was taken and not acknowledged comes back after this: longer than any task may last.
        "visibility_timeout": 3600,
        # A page that leaves a task must not wait for a host that is away.
        "socket_connect_timeout": 2,
        "socket_keepalive": True,
    }
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker outlives a Redis that is away for a night
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.2}  # a page waits for it
CELERY_TASK_IGNORE_RESULT = True  # what became of it stands on our own rows
CELERY_TASK_TIME_LIMIT = 900
CELERY_TASK_SOFT_TIME_LIMIT = 840
CELERY_TASK_ACKS_LATE = True  # all tasks bear being run twice, so a lost worker's are run again
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1  # a refresh in one process must not hold back what another could do
CELERY_WORKER_MAX_TASKS_PER_CHILD = 500
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False  # a refresh outlives a hiccup of Redis
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_TASK_ALWAYS_EAGER = False
CELERY_BEAT_SCHEDULER = "deepdash.beat:SteadyScheduler"
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "celerybeat-schedule")
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    # Pushes refresh at once, but raw files may come from GitHub's caches for some minutes more; and a delivery may
    # be lost. When nothing changed, this makes only conditional requests.
    "refresh the catalogue": {"task": "catalog.tasks.refresh_catalog", "schedule": 3600.0},
    "take up refreshes that were left": {"task": "catalog.tasks.take_up_refresh", "schedule": 60.0},
    "watch what moves": {"task": "deployments.tasks.watch_moving", "schedule": 30.0, "options": {"expires": 25}},
    "forget old notices": {"task": "deployments.tasks.forget_notices", "schedule": 24 * 3600.0},
    "count uses of modules": {"task": "deployments.tasks.count_uses", "schedule": 3600.0},
    "prove to be alive": {"task": "deepdash.tasks.heartbeat", "schedule": 60.0, "options": {"expires": 55}},
    "look at the trainings": {"task": "deployments.trainings.tasks.watch_trainings", "schedule": 60.0},
    "forget old sessions and forms": {"task": "accounts.tasks.forget_expired", "schedule": 3600.0},
}
# Messages of beat that nobody took by the time the next one is due are dropped.
for _entry in CELERY_BEAT_SCHEDULE.values():
    _entry["options"] = {"expires": _entry["schedule"], **_entry.get("options", {})}

# -- Accounts -------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.oidc.IamBackend"]
LOGIN_URL = "/login"
LOGIN_REDIRECT_URL = "/"
LOGIN_REDIRECT_URL_FAILURE = "/login"
LOGOUT_REDIRECT_URL = "/"
OIDC_RP_CLIENT_ID = config.IAM_CLIENT_ID
OIDC_RP_CLIENT_SECRET = config.IAM_CLIENT_SECRET.get_secret_value()
OIDC_RP_SIGN_ALGO = "RS256"
OIDC_RP_SCOPES = "openid profile email offline_access"
OIDC_USE_PKCE = True
OIDC_TIMEOUT = 10
OIDC_TOKEN_USE_BASIC_AUTH = True
OIDC_STORE_ACCESS_TOKEN = False
OIDC_STORE_ID_TOKEN = False
OIDC_VERIFY_SSL: bool | str = config.IAM_CERT or True
OIDC_AUTHENTICATION_CALLBACK_URL = "accounts:callback"
# The endpoints come from the discovery document (accounts.discovery); the library only wants to see the names.
OIDC_OP_AUTHORIZATION_ENDPOINT = OIDC_OP_TOKEN_ENDPOINT = OIDC_OP_USER_ENDPOINT = OIDC_OP_JWKS_ENDPOINT = ""

# -- Security -------------------------------------------------------------------------------------------------
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"  # "Strict" would lose the session on the way back from IAM
SECURE_SSL_REDIRECT = False  # the proxy's work; behind it every request looks like http
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if PUBLIC_HTTPS else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if config.TRUSTED_PROXIES else None
USE_X_FORWARDED_HOST = False
X_FRAME_OPTIONS = "DENY"
_IAM_ORIGIN = "{0.scheme}://{0.netloc}".format(urlsplit(config.IAM_BASE_URL)) if config.IAM_BASE_URL else ""
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        # Logging out and an expired form end in a redirect to IAM, which browsers hold against form-action.
        "form-action": [SELF, *([_IAM_ORIGIN] if _IAM_ORIGIN else [])],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
CSRF_FAILURE_VIEW = "deepdash.views.csrf_failure"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
FILE_UPLOAD_HANDLERS = [
    "deepdash.uploads.BoundedUploadHandler",
    "deepdash.uploads.NamelessUploadHandler",
]

# -- Pages ----------------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español"), ("it", "Italiano")]  # each in its own words, as readers choose
LOCALE_PATHS = [BASE_DIR / "locale"]  # one for all apps: a sentence that several show is translated once
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SECURE = PUBLIC_HTTPS
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
FORMAT_MODULE_PATH = "deepdash.formats"
STATIC_URL = "/static/"
STATIC_ROOT = Path(os.environ.get("STATIC_ROOT", DATA_DIR / "static"))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "deepdash.staticfiles.HashedStorage"},
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"


# -- Mail and logs --------------------------------------------------------------------------------------------
def _mail_transport(url: str) -> tuple[int, bool, bool]:
    """Port, STARTTLS, TLS: smtps is encrypted from its start, port 587 after a beginning in plain (RFC 6409, 8314)."""
    parts = urlsplit(url)
    whole = parts.scheme == "smtps"
    return parts.port or (465 if whole else 25), parts.port == 587 and not whole, whole


_mail = urlsplit(config.EMAIL_URL)
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if config.EMAIL_URL else 'dummy'}.EmailBackend"
EMAIL_HOST = _mail.hostname or "localhost"
EMAIL_PORT, EMAIL_USE_TLS, EMAIL_USE_SSL = _mail_transport(config.EMAIL_URL)
EMAIL_HOST_USER = unquote(_mail.username or "")
EMAIL_HOST_PASSWORD = unquote(_mail.password or "")
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = config.EMAIL_FROM
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "request_id": {"()": "deepdash.logs.RequestIdFilter"},
        "redact": {"()": "deepdash.logs.RedactingFilter"},
    },
    "formatters": {
        "text": {"format": "%(asctime)s %(levelname)s [%(request_id)s] %(name)s: %(message)s"},
        "json": {"()": "deepdash.logs.JsonFormatter"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": config.LOG_FORMAT,
            "filters": ["request_id", "redact"],
        }
    },
    "root": {"handlers": ["console"], "level": config.LOG_LEVEL},
    "loggers": {
        "django": {"level": "INFO"},
        "urllib3": {"level": "WARNING"},
        # Else three lines for every task that went well, of which beat sends five a minute, day and night.
        **{
            name: {"level": "WARNING" if config.LOG_LEVEL == "INFO" else config.LOG_LEVEL}
            for name in ("celery.beat", "celery.worker.strategy", "celery.app.trace")
        },
    },
}
SILENCED_SYSTEM_CHECKS = [
    "security.W008",  # SECURE_SSL_REDIRECT: the proxy redirects, or plain http on loopback
    "security.W005",  # HSTS for subdomains and
    "security.W021",  # preloading: they concern hosts that are not ours to decide on
]
