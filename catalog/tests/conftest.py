"""A small outside world for refreshes: files on GitHub, tags at Docker Hub, a folder of templates."""

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
import yaml

from catalog.models import RefreshRun
from catalog.services import catalog_refresh
from catalog.testing import TEMPLATE, use_config

RAW = "https://raw.githubusercontent.com"
HUB = "https://hub.docker.com"
LIST = f"{RAW}/deephdc/deep-oc/master/MODULES.yml"
TYPES = f"{RAW}/indigo-dc/tosca-types/master/custom_types.yaml"
TYPES_TEXT = """
tosca_definitions_version: tosca_simple_yaml_1_0
node_types:
  tosca.nodes.indigo.Container.Runtime.Docker:
    derived_from: tosca.nodes.Root
  tosca.nodes.indigo.Container.Application.Docker.Marathon:
    derived_from: tosca.nodes.Root
    attributes:
      endpoint: {type: string}
    requirements:
      - host: {capability: tosca.capabilities.Node, occurrences: [0, 1]}
"""


class World:
    """What the outside holds; ``files`` are raw files by address, a status instead of a text makes them fail."""

    def __init__(self, folder: Path, mock: responses.RequestsMock) -> None:
        self.folder = folder
        self.files: dict[str, str | int] = {TYPES: TYPES_TEXT}
        self.tags: dict[str, list[dict[str, Any]] | int] = {}
        self.asked: list[tuple[str, int]] = []
        self._mock = mock
        mock.add_callback(responses.GET, re.compile(re.escape(RAW) + "/.*"), callback=self._file)
        mock.add_callback(responses.GET, re.compile(re.escape(HUB) + "/.*"), callback=self._tags)

    def list_modules(self, *urls: str) -> None:
        self.files[LIST] = yaml.safe_dump([{"module": url} for url in urls])

    def add_module(
        self, name: str, *, branch: str = "master", tags: tuple[str, ...] = ("cpu", "gpu"), **metadata: Any
    ) -> str:
        """Put a module's metadata and tags there; returns its address for the list."""
        self.files[f"{RAW}/deephdc/{name}/{branch}/metadata.json"] = json.dumps(make_metadata(name, **metadata))
        self.tags[f"deephdc/{name.lower()}"] = [make_tag(tag) for tag in tags]
        return f"https://github.com/deephdc/{name}"

    def template(self, name: str, text: str | None = TEMPLATE) -> None:
        """Write a template into the folder, or take it away."""
        path = self.folder / name
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def refresh(self) -> RefreshRun:
        self.asked.clear()
        return catalog_refresh(trigger="command")

    def statuses(self, part: str) -> list[int]:
        """What was answered to the calls whose address holds a text."""
        return [status for address, status in self.asked if part in address]

    def _file(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        address = str(request.url)
        held = self.files.get(address, 404)
        if isinstance(held, int):
            return self._answer(address, held, {}, "404: Not Found" if held == 404 else "<html>no</html>")
        etag = f'"{hashlib.sha256(held.encode()).hexdigest()[:12]}"'
        if request.headers.get("If-None-Match") == etag:
            return self._answer(address, 304, {"ETag": etag}, "")
        return self._answer(address, 200, {"ETag": etag, "Content-Type": "text/plain; charset=utf-8"}, held)

    def _tags(self, request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        address = str(request.url)
        image = address.partition("/v2/repositories/")[2].partition("/tags")[0]
        held = self.tags.get(image, 404)
        if isinstance(held, int):
            return self._answer(address, held, {"Retry-After": "0"}, '{"message": "no"}')
        body = json.dumps({"count": len(held), "next": None, "previous": None, "results": held})
        return self._answer(address, 200, {}, body)

    def _answer(self, address: str, status: int, headers: dict[str, str], body: str) -> tuple[int, dict[str, str], str]:
        self.asked.append((address, status))
        return status, headers, body


def make_metadata(name: str = "DEEP-OC-demo", **changes: Any) -> dict[str, Any]:
    """A complete metadata.json (contract 10.2); a key given as None is left out."""
    made: dict[str, Any] = {
        "title": f"Title of {name}",
        "summary": "What it does.",
        "description": ["First line", "of a **paragraph**.\n"],
        "keywords": ["tensorflow", "trainable", "inference", "image classification"],
        "license": "MIT",
        "date_creation": "2021-05-04",
        "sources": {
            "dockerfile_repo": f"https://github.com/deephdc/{name}",
            "docker_registry_repo": f"deephdc/{name.lower()}",
            "code": "https://github.com/deephdc/demo",
        },
        "continuous_integration": {"build_status_url": "https://ci.example/demo"},
        "tosca": [
            {"title": "Marathon", "url": f"{RAW}/indigo-dc/tosca-templates/master/deep-oc/own.yml", "inputs": []}
        ],
    }
    made |= changes
    return {key: value for key, value in made.items() if value is not None}


def make_tag(name: str, pushed: str = "2024-03-01T09:22:33.123456Z") -> dict[str, Any]:
    return {"name": name, "full_size": 2213456789, "last_updated": pushed, "id": 1, "images": []}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Two modules, the two common templates and one template of a module's own."""
    folder = tmp_path / "templates"
    folder.mkdir()
    with (
        responses.RequestsMock(assert_all_requests_are_fired=False) as mock,
        use_config(
            MODULES_YML=LIST,
            TOSCA_TEMPLATES_DIR=str(folder),
            TOSCA_TEMPLATES_REPO="",
            TOSCA_PARAMETERS_DIR="",
            TOSCA_TYPES={},
            GITHUB_RAW_URL=RAW,
            DOCKERHUB_URL=HUB,
            COMMON_TOSCAS={"default": "default.yml", "minimal": "minimal.yml"},
        ),
    ):
        made = World(folder, mock)
        for name in ("default.yml", "minimal.yml", "own.yml"):
            made.template(name)
        made.list_modules(made.add_module("DEEP-OC-one"), made.add_module("DEEP-OC-two"))
        yield made
