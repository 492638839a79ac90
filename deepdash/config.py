"""The configuration of one dashboard: a JSON file, overruled by environment variables.

The keys of the Flask training dashboard keep their names and meaning, so that its ``config.json`` works as it
stands. Every key can also be given as the environment variable ``DEEPDASH_<KEY>``, which wins, or, for secrets
mounted as files, as ``DEEPDASH_<KEY>_FILE`` with the path of a file that holds the value.
"""

import json
import os
import sys
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

BASE_DIR = Path(__file__).resolve().parent.parent
PREFIX = "DEEPDASH_"
CANNOT_START = 4  # gunicorn ends as a whole at a worker's exit status of this, instead of trying for ever
CONFIG_FILES = (BASE_DIR / "config.json", Path("/app/app/config.json"))


class ConfigError(Exception):
    """The configuration can't be used. ``problems`` holds one sentence per wrong key."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("The configuration has mistakes:\n" + "\n".join(f"  - {line}" for line in problems))
        self.problems = problems


def _flag(value: Any) -> Any:
    """yes/no and their likes, as the original's ``ENABLE_ADVANCED_MENU``; anything else stays and is refused."""
    if isinstance(value, str):
        return {"yes": True, "on": True, "true": True, "1": True, "no": False, "off": False, "false": False,
                "0": False, "": False}.get(value.strip().lower(), value)  # fmt: skip
    return value


def _words(value: Any) -> Any:
    """A list of texts, from a JSON list or from one text separated by commas or blanks (environment)."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if not text.startswith("["):
        return text.replace(",", " ").split()
    try:
        return _json(text)
    except json.JSONDecodeError:
        said = 'begins with [ and so has to be JSON, such as ["a", "b"]; did a shell take its quotes?'
        raise ValueError(said) from None


def _mapping(value: Any) -> Any:
    return _json(value) if isinstance(value, str) and value.strip() else (value or {})


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("is nested too deeply") from None


def _url(value: str) -> str:
    """An http(s) address without trailing slash; empty stays empty (service not used)."""
    value = value.strip().rstrip("/")
    if value and not value.startswith(("https://", "http://")):
        raise ValueError("must start with https:// (or http://)")
    return _address(value)


def _address(value: str) -> str:
    """An address whose host and port can be read; raises ValueError for another one."""
    parts = urlsplit(value)
    if value and not (parts.hostname and (parts.port is None or parts.port)):  # a port that is none raises by itself
        raise ValueError("must name a host (and a port above 0, if any)")
    if any(character.isspace() or not character.isprintable() for character in value):
        raise ValueError("must hold no blanks or control characters")
    return value


def _of_scheme(*schemes: str) -> AfterValidator:
    def check(value: str) -> str:
        value = value.strip()
        if value and urlsplit(value).scheme not in schemes:
            raise ValueError(f"must start with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        return _address(value)

    return AfterValidator(check)


def _redis(value: str) -> str:
    """A server, without a number: numbers 0 (queue) and 1 (cache) are this dashboard's own choice."""
    parts = urlsplit(value)
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("must end with host and port: databases 0 and 1 of that server are used")
    return value.rstrip("/")


def _origin(value: str) -> str:
    """Scheme, host and port alone: what stands before the first slash of every address of this dashboard."""
    parts = urlsplit(value)
    if value and (parts.path or parts.query or parts.fragment or "@" in parts.netloc or not parts.hostname):
        raise ValueError("must be scheme and host alone, such as https://dashboard.example.org")
    return value


def _ca_path(value: str) -> str:
    """A CA bundle: a file or a folder that exists (contract of requests' ``verify``)."""
    try:
        there = not value or Path(value).exists()
    except OSError as error:
        raise ValueError(f"can't be looked for: {error.strerror}") from None
    if not there:
        raise ValueError(f"there is no file or folder {value}")
    return value


Url = Annotated[str, AfterValidator(_url)]
Origin = Annotated[str, AfterValidator(_url), AfterValidator(_origin)]
DatabaseUrl = Annotated[str, _of_scheme("postgres", "postgresql")]
RedisUrl = Annotated[str, _of_scheme("redis", "rediss"), AfterValidator(_redis)]
MailUrl = Annotated[str, _of_scheme("smtp", "smtps")]
Flag = Annotated[bool, BeforeValidator(_flag)]
Words = Annotated[list[str], NoDecode, BeforeValidator(_words)]
Mapping = Annotated[dict[str, str], NoDecode, BeforeValidator(_mapping)]
CaBundle = Annotated[str, AfterValidator(_ca_path)]
LogLevel = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(lambda value: str(value).upper())
]
LogFormat = Annotated[Literal["text", "json"], BeforeValidator(lambda value: str(value).lower())]


class Config(BaseSettings):
    """All keys. The description of a field is its line in ``docs/configuration.md``."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, case_sensitive=True, extra="ignore", frozen=True,
                                      env_ignore_empty=False)  # fmt: skip

    # -- Signing in ---------------------------------------------------------------------------------------
    IAM_BASE_URL: Url = Field("", description="INDIGO IAM: the issuer of the accounts")
    IAM_CLIENT_ID: str = Field("", description="This dashboard's client at IAM")
    IAM_CLIENT_SECRET: SecretStr = Field(SecretStr(""), description="Its secret")
    IAM_GROUP_MEMBERSHIP: Words = Field([], description="Groups a user must all be in; empty admits everybody")
    IAM_ADMIN_GROUPS: Words = Field([], description="Members of any of these may curate in the admin")
    IAM_GROUP_CLAIMS: Words = Field(["groups", "wlcg.groups", "entitlements", "eduperson_entitlement", "roles"],
                                    description="Claims that may hold the groups, first found wins")  # fmt: skip
    IAM_CERT: CaBundle = Field("", description="CA bundle for IAM, if not publicly trusted")

    # -- The PaaS services --------------------------------------------------------------------------------
    ORCHESTRATOR_URL: Url = Field("", description="INDIGO PaaS Orchestrator")
    ORCHESTRATOR_CERT: CaBundle = Field("", description="CA bundle for it")
    SLAM_URL: Url = Field("", description="SLA manager, with or without `/rest/slam`")
    SLAM_CERT: CaBundle = Field("", description="CA bundle for it")
    CMDB_URL: Url = Field("", description="Configuration database of the providers")
    CMDB_CERT: CaBundle = Field("", description="CA bundle for it")
    IM_URL: Url = Field("", description="Infrastructure Manager. Empty: the four are asked of the orchestrator")
    IM_CERT: CaBundle = Field("", description="CA bundle for it")
    MONITORING_URL: Url = Field("", description="Monitoring wrapper")
    MONITORING_CERT: CaBundle = Field("", description="CA bundle for it")
    DEEPAAS_CERT: CaBundle = Field("", description="CA bundle for the APIs inside deployments")
    UPLOAD_MEGABYTES: int = Field(100, ge=1, le=4000, description="Largest file that can be sent to a module")
    DEEPAAS_VERIFY: Flag = Field(True, description="Check the certificates of the APIs inside deployments")

    # -- The catalogue ------------------------------------------------------------------------------------
    TOSCA_TEMPLATES_DIR: str = Field("", description="Folder of TOSCA templates, inside a git checkout or not")
    TOSCA_TEMPLATES_REPO: str = Field("", description="Git repository that is cloned there when it is missing")
    TOSCA_PARAMETERS_DIR: str = Field("", description="Folder of `<template>.parameters.yml` files")
    TOSCA_METADATA_DIR: str = Field(
        "", description="Folder of `<template>.metadata.yml` files, which overrule the templates' own metadata"
    )
    TOSCA_TYPES: Mapping = Field({}, description="Import URL of TOSCA types → file or URL to read instead")
    COMMON_TOSCAS: Mapping = Field(
        {"default": "deep-oc-marathon-webdav.yml", "minimal": "deep-oc-marathon-minimal.yml"},
        description="Templates offered for every module: title → file")  # fmt: skip
    MODULES_YML: Url = Field("", description="Address of the list of modules")
    GITHUB_RAW_URL: Url = Field("https://raw.githubusercontent.com", description="Where raw GitHub files are read")
    DOCKERHUB_URL: Url = Field("https://hub.docker.com", description="Where image tags are read")
    GITHUB_SECRET: SecretStr = Field(SecretStr(""), description="Secret of the GitHub webhooks")
    WEBHOOK_REPOSITORIES: Words = Field(
        [], description="Repositories whose pushes refresh: `owner/name`, `owner/*`, with `@branch` for a branch other "
        "than the default one; empty: any signed one")  # fmt: skip
    WEBHOOK_ALLOW_SHA1: Flag = Field(False, description="Also take webhooks that are signed with SHA-1 alone")
    WEBHOOK_ALLOW_UNSIGNED: Flag = Field(False, description="Without GITHUB_SECRET: take webhooks from anybody")

    # -- The site -----------------------------------------------------------------------------------------
    SECRET_KEY: SecretStr = Field(SecretStr(""), description="Signs sessions. Empty: made once, kept in `var/`")
    TOKEN_KEYS: Annotated[list[SecretStr], NoDecode, BeforeValidator(_words)] = Field(
        [], description="Fernet keys for tokens at rest, newest first. Empty: made once, kept in `var/`")  # fmt: skip
    ALLOWED_HOSTS: Words = Field(["localhost", "127.0.0.1", "[::1]"], description="Host names of this dashboard")
    PUBLIC_URL: Origin = Field("", description="Address users type; empty: taken from the request")
    DATABASE_URL: DatabaseUrl = Field(
        "", description="`postgres://user:password@host:5432/name`, what libpq takes after a `?` too "
        "(`sslmode=verify-full&sslrootcert=…`); empty: SQLite in `var/`")  # fmt: skip
    REDIS_URL: RedisUrl = Field(
        "", description="`redis://host:6379` (`rediss://` with TLS): cache and task queue, in its databases 1 and 0; "
        "empty: embedded")  # fmt: skip
    REDIS_CERT: CaBundle = Field("", description="CA bundle for it, if not publicly trusted")
    DATA_DIR: str = Field("", description="Folder for what is kept; default `var` beside manage.py")
    TRUSTED_PROXIES: int = Field(0, ge=0, le=5, description="How many proxies in front set `X-Forwarded-*`")
    OUTBOUND_ALLOWED_NETWORKS: Words = Field([], description="Private networks (CIDR) that deployments may be in")
    SUPPORT_EMAIL: str = Field("", description="Shown on error pages")
    EXTERNAL_LINKS: Annotated[list[dict[str, str]], NoDecode, BeforeValidator(_words)] = Field(
        [], description='Links in the footer: `{"url": …, "menu_item_name": …}`')  # fmt: skip
    ENABLE_ADVANCED_MENU: Flag = Field(True, description="Show provider, time limits and flags in the form")
    SANDBOX_URL: Url = Field("", description="Set by `make run` when it starts the sandbox; shown on every page")
    DEBUG: Flag = Field(False, description="Django's debug pages; never on a real site")
    LOG_LEVEL: LogLevel = Field("INFO", description="Least severity logged")
    LOG_FORMAT: LogFormat = Field("text", description="`text` for people, `json` (one object per line) for log stores")
    METRICS_TOKEN: SecretStr = Field(
        SecretStr(""), description="Bearer token that may read `/metrics`; empty: this machine alone")  # fmt: skip

    # -- Mail ---------------------------------------------------------------------------------------------
    EMAIL_URL: MailUrl = Field(
        "", description="`smtp://user:password@host:587`, `smtps://` (port 465); empty: no mail is sent")  # fmt: skip
    EMAIL_FROM: str = Field("deepdash@localhost", description="Sender of the mails")

    @field_validator("*", mode="before")
    @classmethod
    def _no_nul(cls, value: Any) -> Any:
        """No path, address or database takes NUL; some would fail with it only much later."""
        if "\\u0000" in json.dumps(value, default=str):
            raise ValueError("a NUL character can't be in it")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _FilesFromEnvironment(settings_cls), _ConfigFile(settings_cls)

    @property
    def data_dir(self) -> Path:
        return Path(self.DATA_DIR) if self.DATA_DIR else BASE_DIR / "var"


class _FilesFromEnvironment(PydanticBaseSettingsSource):
    """``DEEPDASH_<KEY>_FILE`` names a file with the value of KEY (container secrets)."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        name = f"{PREFIX}{field_name}_FILE"
        path = os.environ.get(name)
        try:
            return (Path(path).read_text(encoding="utf-8").strip() if path else None), field_name, False
        except OSError as error:
            raise ConfigError([f"{name}: {path} can't be read: {error.strerror}"]) from None
        except ValueError:  # it would say what stands there
            raise ConfigError([f"{name}: {path} holds no UTF-8 text"]) from None

    def __call__(self) -> dict[str, Any]:
        found = {name: self.get_field_value(field, name)[0] for name, field in Config.model_fields.items()}
        return {name: value for name, value in found.items() if value is not None}


class _ConfigFile(PydanticBaseSettingsSource):
    """The JSON file; a null counts as not given."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return config_file_values().get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        return {
            name: value
            for name, value in config_file_values().items()
            if name in Config.model_fields and value is not None
        }


def config_file() -> Path | None:
    """The file in use: the one ``DEEPDASH_CONFIG`` names, else the first default place that has one."""
    named = os.environ.get(f"{PREFIX}CONFIG")
    if named:
        return Path(named)
    return next((path for path in CONFIG_FILES if path.is_file()), None)


@cache
def config_file_values() -> dict[str, Any]:
    """The keys of the configuration file. Raises ConfigError when it can't be read as a JSON object."""
    path = config_file()
    if path is None:
        return {}
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError([f"{path} can't be read: {error.strerror}"]) from error
    except RecursionError:
        raise ConfigError([f"{path} is nested too deeply"]) from None
    except ValueError as error:
        raise ConfigError([f"{path} is not JSON: {error}"]) from error
    if not isinstance(values, dict):
        raise ConfigError([f"{path} must hold one JSON object"])
    return values


def unknown_keys() -> list[str]:
    """Keys of the file and of the environment that mean nothing here, for the startup check."""
    known = set(Config.model_fields) | {"CONFIG", "HOME"}  # where the configuration and the code are
    from_file = [key for key in config_file_values() if key not in known]
    from_environment = [
        key
        for key in os.environ
        if key.startswith(PREFIX) and key.removeprefix(PREFIX).removesuffix("_FILE") not in known
    ]
    return sorted(from_file) + sorted(from_environment)


def load_config() -> Config:
    """Read and check the configuration. Raises ConfigError with one sentence per mistake."""
    try:
        return Config()
    except ValidationError as error:
        problems = [f"{item['loc'][0] if item['loc'] else '?'}: {_plain(item)}" for item in error.errors()]
        raise ConfigError(problems) from None  # pydantic's own text would print the values, secrets included
    except (OSError, ValueError) as error:
        raise ConfigError([str(error)]) from None


def _plain(item: Any) -> str:
    """One of pydantic's findings, for people who don't know of pydantic."""
    if item["type"] == "value_error":
        return str(item["ctx"]["error"])
    shapes = {"list": 'a list, such as ["a", "b"]', "dict": 'a map, such as {"a": "b"}', "string": "a text",
              "bool": "yes or no", "int": "a whole number"}  # fmt: skip
    shape = shapes.get(item["type"].partition("_")[0])
    return f"must be {shape}" if shape else str(item["msg"])


def _config_or_end() -> Config:
    """What everything imports; a process that can't have it ends in words instead of a traceback."""
    try:
        return load_config()
    except ConfigError as error:
        print(error, file=sys.stderr, flush=True)
        raise SystemExit(CANNOT_START) from None


config = _config_or_end()
