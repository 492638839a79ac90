"""metadata.json of a module (contract 10.2): found on the branch that has it, read as far as it makes sense."""

import json
import re
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft7Validator

from catalog.sources.fetch import Fetched, fetch
from catalog.sources.places import BRANCHES, GITHUB
from catalog.tosca.guard import Refused
from catalog.tosca.loader import plain
from deepdash.config import config
from deepdash.errors import Problem
from deepdash.http import ServiceError, ServiceSession
from deepdash.inert import inert, one_line

MAX_KEYWORDS = 50
MAX_DESCRIPTION = 50_000  # characters; the longest public one has 3,600
_TAG_OR_DIGEST = re.compile(r"(:[\w][\w.-]{0,127})?(@sha256:[0-9a-f]{64})?$")
_REGISTRY = re.compile(
    r"^(?:https?://)?(?:docker\.io|index\.docker\.io|hub\.docker\.com/r|registry\.hub\.docker\.com)/"
)

_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_SCHEMA = Draft7Validator(
    {
        "type": "object",
        "required": ["title", "summary", "description", "keywords", "license", "date_creation", "sources"],
        "properties": {
            "title": _TEXT,
            "summary": _TEXT,
            "description": _TEXTS,
            "keywords": _TEXTS,
            "license": _TEXT,
            "date_creation": {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"},
            "cite_url": _TEXT,
            "dataset_url": _TEXT,
            "training_files_url": _TEXT,
            "docker_tags": _TEXTS,
            "continuous_integration": {"type": "object", "additionalProperties": _TEXT},
            "sources": {
                "type": "object",
                "required": ["dockerfile_repo", "docker_registry_repo", "code"],
                "additionalProperties": _TEXT,
            },
            "tosca": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["title", "url"],
                    "properties": {"title": _TEXT, "url": _TEXT, "inputs": _TEXTS},
                },
            },
        },
    }
)


@dataclass(frozen=True)
class ToscaLink:
    """A template that a module names: an address or a file name, and a title (free text)."""

    file: str
    title: str


@dataclass(frozen=True)
class ModuleMetadata:
    """What metadata.json says, tidied; missing things are empty. ``remarks`` say where it leaves its schema."""

    title: str
    summary: str
    description: str
    keywords: tuple[str, ...]
    licence: str
    created_on: date | None
    docker_image: str
    docker_tags: tuple[str, ...]
    dockerfile_url: str
    code_url: str
    dataset_url: str
    weights_url: str
    cite_url: str
    training_files_url: str
    ci_url: str
    tosca: tuple[ToscaLink, ...]
    raw: dict[str, Any]
    remarks: tuple[str, ...]


def read_metadata(session: ServiceSession, url: str, *, branch: str = "", etag: str = "") -> Fetched:
    """Read a module's metadata.json, first from the branch that had it last time, if any (only there ``etag`` counts).

    Raises ServiceError; "service:missing" when none of the branches has the file.
    """
    for candidate in dict.fromkeys([branch, *BRANCHES] if branch else BRANCHES):
        try:
            return fetch(
                session, metadata_address(url, candidate), etag=etag if candidate == branch else "", branch=candidate
            )
        except ServiceError as error:
            if error.id != "service:missing":
                raise
    raise ServiceError("service:missing", service=session.name, http_status=404, detail="no metadata.json")


def metadata_address(url: str, branch: str) -> str:
    """Where the metadata of the module at ``url`` is on a branch: raw GitHub files, or below any other address."""
    if url.startswith(GITHUB):
        return f"{config.GITHUB_RAW_URL}/{url.removeprefix(GITHUB)}/{branch}/metadata.json"
    return f"{url}/{branch}/metadata.json"


def parse_metadata(text: str) -> ModuleMetadata:
    """Read metadata.json. What leaves the schema but makes sense is taken, and remarked on.

    Raises Problem "catalog:malformed" for what is no JSON object or has no title.
    """
    try:
        raw = plain(json.loads(text))
    except RecursionError:
        raise Problem("catalog:malformed", detail="It is nested too deeply.", what="metadata.json") from None
    except (ValueError, Refused) as error:
        raise Problem("catalog:malformed", detail=f"It is not JSON: {error}", what="metadata.json") from None
    if not isinstance(raw, dict):
        raise Problem("catalog:malformed", detail="It is no JSON object.", what="metadata.json")
    title = _line(raw.get("title"))
    if not title:
        raise Problem("catalog:malformed", detail="It has no title.", what="metadata.json")
    sources = raw["sources"] if isinstance(raw.get("sources"), dict) else {}
    builds = raw["continuous_integration"] if isinstance(raw.get("continuous_integration"), dict) else {}
    links = {**sources, **{key: value for key, value in raw.items() if value}}  # some keep them inside sources
    remarks = [_remark(error) for error in list(_SCHEMA.iter_errors(raw))[:20]]
    return ModuleMetadata(
        title=title[:300],
        summary=_line(raw.get("summary"))[:2000],
        description=_lines(raw.get("description"))[:MAX_DESCRIPTION],
        keywords=tuple(dict.fromkeys(_words(raw.get("keywords"))))[:MAX_KEYWORDS],
        licence=_line(raw.get("license"))[:100],
        created_on=_date(raw.get("date_creation")),
        docker_image=image_name(_line(sources.get("docker_registry_repo"))),
        docker_tags=tuple(_words(raw.get("docker_tags"))),
        dockerfile_url=web_address(sources.get("dockerfile_repo")),
        code_url=web_address(sources.get("code")),
        dataset_url=web_address(links.get("dataset_url")),
        weights_url=web_address(sources.get("pre_trained_weights")),
        cite_url=web_address(links.get("cite_url")),
        training_files_url=web_address(links.get("training_files_url")),
        ci_url=web_address(builds.get("build_status_url")),
        tosca=_tosca(raw.get("tosca")),
        raw=raw,
        remarks=tuple(remarks),
    )


def image_name(text: str) -> str:
    """``namespace/name`` of a Docker Hub image, however it is written: with the registry in front, with a tag."""
    return _TAG_OR_DIGEST.sub("", _REGISTRY.sub("", text.strip().strip("/")))[:255]


def web_address(value: Any) -> str:
    """The value if it is a plain http(s) address that may become a link, else ""."""
    if not isinstance(value, str):
        return ""
    text = value.strip()
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    plain_link = parts.scheme in {"http", "https"} and bool(parts.hostname) and is_plain(text)
    return text if plain_link and len(text) <= 500 else ""


def is_plain(address: str) -> bool:
    """Whether it holds neither blanks nor what can't be seen."""
    return address.isprintable() and " " not in address


def _tosca(value: Any) -> tuple[ToscaLink, ...]:
    entries = value if isinstance(value, list) else []
    found = [
        ToscaLink(_line(entry.get("url"))[:500], _line(entry.get("title"))[:200])
        for entry in entries
        if isinstance(entry, dict)
    ]
    return tuple(link for link in found if link.file)[:20]


def _remark(error: Any) -> str:
    place = ".".join(str(part) for part in error.absolute_path)
    return one_line(f"{place}: {error.message}" if place else str(error.message))[:300]


def _line(value: Any) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    return " ".join(inert(value).split()) if isinstance(value, str) else ""


def _lines(value: Any) -> str:
    """The description: a list of lines, or (seen in old versions) one text."""
    if isinstance(value, list):
        value = "\n".join(line for line in value if isinstance(line, str))
    return inert(value).strip() if isinstance(value, str) else ""


def _words(value: Any) -> list[str]:
    entries = value if isinstance(value, list) else value.split(",") if isinstance(value, str) else []
    return [word[:128] for word in (_line(entry) for entry in entries) if word]


def _date(value: Any) -> date | None:
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None
