"""Configuration of the whole site that can't work, contradicts itself or is unsafe, said at start.

An Error keeps the dashboard from starting (``deepdash.wsgi``, and any manage.py command); a Warning is for the
operator to weigh. Those of single apps are in their own ``checks.py``.
"""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Warning, register, run_checks

from deepdash.addresses import is_loopback, is_protected
from deepdash.config import PREFIX, Config, config, unknown_keys

# Services that a user's token is sent to, and those that are only read.
WITH_TOKEN = ("ORCHESTRATOR_URL", "SLAM_URL", "CMDB_URL", "IM_URL", "MONITORING_URL")
WITHOUT_TOKEN = ("MODULES_YML", "GITHUB_RAW_URL", "DOCKERHUB_URL", "TOSCA_TEMPLATES_REPO")
SHORTEST_KEY = 32
SHORTEST_TOKEN = 16


def refusals() -> list[str]:
    """What is so wrong that the dashboard must not serve anybody: a text for each Error of all checks."""
    return [f"{found.msg}\n    {found.hint}" for found in run_checks() if found.is_serious()]


@register()
def keys_are_known(**kwargs: Any) -> list[CheckMessage]:
    """A mistyped key is silently without effect, which is worst for the ones about security."""
    found: list[CheckMessage] = []
    for key in unknown_keys():
        name = key.removeprefix(PREFIX).removesuffix("_FILE")
        near = get_close_matches(name, Config.model_fields, n=1, cutoff=0.75)
        hint = f"Did you mean {key.replace(name, near[0])}?" if near else "Remove it, or look it up in the manual."
        found.append(Warning(f"{key} is not a key of the configuration, and has no effect.", hint=hint,
                             id="deepdash.W001"))  # fmt: skip
    return found


@register()
def connections_are_protected(**kwargs: Any) -> list[CheckMessage]:
    """Plain http is for this very machine."""
    found: list[CheckMessage] = []
    for key in (*WITH_TOKEN, *WITHOUT_TOKEN):
        url = getattr(config, key)
        if url.startswith("http://") and not is_protected(url):
            risk = "tokens of users travel unencrypted" if key in WITH_TOKEN else "what is read can be forged"
            hint = f"Use https:// if the service has it: otherwise {risk}."
            found.append(Warning(f"{key} is a plain http address of another machine.", hint=hint, id="deepdash.W002"))
    host = urlsplit(config.PUBLIC_URL).hostname or ""
    if config.PUBLIC_URL.startswith("http://") and not is_loopback(host):
        hint = "Use https://, through a proxy or with ENABLE_HTTPS; plain http is for 127.0.0.1 alone."
        found.append(Error("PUBLIC_URL is a plain http address: sessions could be stolen.", hint=hint,
                           id="deepdash.E001"))  # fmt: skip
    return found


@register()
def secrets_are_shared_and_strong(**kwargs: Any) -> list[CheckMessage]:
    """Keys that a host makes for itself are known to that host alone; a site of several needs the same ones."""
    found: list[CheckMessage] = []
    if config.DATABASE_URL or config.REDIS_URL:
        because = " and ".join(key for key in ("DATABASE_URL", "REDIS_URL") if getattr(config, key))
        for key, loss in (("SECRET_KEY", "sessions"), ("TOKEN_KEYS", "stored tokens")):
            value = getattr(config, key)
            if not (value and (isinstance(value, list) or value.get_secret_value())):
                # A public site must not find this out by users being signed out at random.
                kind = Error if settings.PUBLIC_HTTPS else Warning
                found.append(
                    kind(
                        f"{key} is not set although {because} is: each host would make one of its own, and could not "
                        f"read the others' {loss}.",
                        hint=f"Set {PREFIX}{key} or {PREFIX}{key}_FILE to the same value for web, workers and beat. "
                        "Make one with: python manage.py make_secrets",
                        id="deepdash.E002" if kind is Error else "deepdash.W003",
                    )
                )
    given = config.SECRET_KEY.get_secret_value()
    if given and (len(given) < SHORTEST_KEY or len(set(given)) < 5 or "insecure" in given):
        hint = "Make one with: python manage.py make_secrets"
        found.append(Error("SECRET_KEY can be guessed.", hint=hint, id="deepdash.E003"))
    for place, key in enumerate(settings.TOKEN_KEYS, start=1):
        try:
            Fernet(key)
        except ValueError:
            where = f"Number {place} of TOKEN_KEYS" if config.TOKEN_KEYS else str(settings.DATA_DIR / "token-key")
            hint = "Make one with: python manage.py make_secrets. If this is a damaged copy, take the right one from "
            found.append(Error(f"{where} is no key for tokens.", id="deepdash.E005",
                               hint=f"{hint}your backup: without it users have to sign in again."))  # fmt: skip
    token = config.METRICS_TOKEN.get_secret_value()
    if token and len(token) < SHORTEST_TOKEN:
        hint = f"Use at least {SHORTEST_TOKEN} random characters, or leave it empty."
        found.append(Warning("METRICS_TOKEN can be guessed.", hint=hint, id="deepdash.W004"))
    return found


@register()
def values_agree(**kwargs: Any) -> list[CheckMessage]:
    """Values that are right each by itself, but not together."""
    return list(_contradictions())


def _contradictions() -> Iterator[CheckMessage]:
    public = config.PUBLIC_URL.startswith("https://")
    if config.DEBUG and (settings.PUBLIC_HTTPS or config.DATABASE_URL):
        hint = "Take DEBUG out: its error pages show settings and source code to everybody."
        yield Error("DEBUG is on for a dashboard that others can reach.", hint=hint, id="deepdash.E004")
    if public and not settings.ENABLE_HTTPS and not config.TRUSTED_PROXIES:
        hint = "Set TRUSTED_PROXIES to the number of proxies in front (mostly 1), or ENABLE_HTTPS=True without any."
        yield Warning("PUBLIC_URL is https, but nothing says where TLS ends.", hint=hint, id="deepdash.W005")
    if settings.ENABLE_HTTPS and config.PUBLIC_URL.startswith("http://"):
        hint = "Write PUBLIC_URL with https://, or take ENABLE_HTTPS out."
        yield Warning("ENABLE_HTTPS is on, but PUBLIC_URL is plain http.", hint=hint, id="deepdash.W006")
    if "*" in config.ALLOWED_HOSTS:
        hint = "Set PUBLIC_URL to the address users type, which also allows its host, and take the * out."
        yield Warning("ALLOWED_HOSTS accepts requests for any host name.", hint=hint, id="deepdash.W007")
    if config.IAM_BASE_URL and not config.ORCHESTRATOR_URL:
        hint = "Set it; without the orchestrator only the catalogue works."
        yield Warning("ORCHESTRATOR_URL is not set, so nothing can be deployed.", hint=hint, id="deepdash.W008")
    if config.ORCHESTRATOR_URL and not config.IM_URL and (config.SLAM_URL or config.CMDB_URL or config.MONITORING_URL):
        hint = "Set IM_URL if the configured addresses shall count; otherwise all of this is as in the Flask dashboard."
        yield Info("IM_URL is empty, so the orchestrator names SLAM, CMDB, IM and monitoring; what is configured for "
                   "them is used only where it names none.", hint=hint, id="deepdash.I001")  # fmt: skip
    for link in config.EXTERNAL_LINKS:
        if not link.get("url", "").startswith(("https://", "http://")):
            hint = 'Write it like {"url": "https://docs.example.org", "menu_item_name": "Documentation"}.'
            yield Warning(f"EXTERNAL_LINKS: {link} has no web address and is not shown.", hint=hint,
                          id="deepdash.W009")  # fmt: skip
    if config.REDIS_URL and not config.DATABASE_URL:
        hint = "Set DATABASE_URL: workers on other hosts need the same database; leave it if all run on one host."
        yield Info("REDIS_URL is set, but the database is SQLite.", hint=hint, id="deepdash.I002")
