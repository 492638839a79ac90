"""The catalogue the stand-ins of GitHub, git and Docker Hub serve: a folder of files, changeable at run time.

Layout of the folder::

    modules/MODULES.yml                       the list of modules
    modules/ORG/REPO/metadata.json            any file in here is served from the repository
    modules/ORG/REPO/tags.json                optional: [{"name", "size", "last_updated"}, …] on Docker Hub
    modules/branches.yml                      optional: {"ORG/REPO": [branch, …]}
    tosca-templates/indigo-dc/…               the git repository of templates
    tosca-types/import-map.yml                {import URL: file below tosca-types}
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import yaml

TEMPLATES_REPOSITORY = ("indigo-dc", "tosca-templates")
MODULES_REPOSITORY = ("deephdc", "deep-oc")
DEFAULT_BRANCHES = ("master",)
DEFAULT_TAGS = ("cpu", "gpu", "latest", "cpu-test", "GPU-Test")
_RAW_HOST = "raw.githubusercontent.com"


class PathError(ValueError):
    """A path that does not stay inside its repository."""


@dataclass
class Module:
    """A module's repository: its files by name, its branches, and its image's tags (None: derived)."""

    files: dict[str, bytes]
    branches: tuple[str, ...] = DEFAULT_BRANCHES
    tags: list[dict[str, Any]] | None = None

    def metadata(self) -> dict[str, Any]:
        """Return what metadata.json says, ``{}`` when it is absent or unreadable."""
        try:
            data = json.loads(self.files.get("metadata.json", b"{}"))
        except ValueError:
            return {}
        return data if isinstance(data, dict) else {}


@dataclass
class Changes:
    """What was changed at run time, so that it can be kept and undone."""

    modules_yml: str | None = None
    templates: dict[str, str | None] = field(default_factory=dict)
    modules: dict[str, dict[str, Any]] = field(default_factory=dict)


class Catalogue:
    """The files of a catalogue folder, read once, with the changes made at run time on top."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.changes = Changes()
        self.modules_yml = b""
        self.templates: dict[str, bytes] = {}
        self._types: dict[str, bytes] = {}
        self._modules: dict[tuple[str, str], Module] = {}
        # Made when it is first asked for: parsing all metadata for every call would be slow with many modules.
        self._images: dict[str, dict[str, dict[str, Any]]] | None = None
        self.read()

    def read(self) -> None:
        """Read the folder, forgetting all changes."""
        self.changes = Changes()
        modules = self.folder / "modules"
        self.modules_yml = _read(modules / "MODULES.yml")
        self.templates = _files(self.folder.joinpath("tosca-templates", TEMPLATES_REPOSITORY[0]))
        self._types = self._read_types()
        branches = _yaml_mapping(modules / "branches.yml")
        self._modules = {}
        self._images = None
        for repository in sorted(modules.glob("*/*/")):
            name = f"{repository.parent.name}/{repository.name}"
            files = _files(repository)
            tags = files.pop("tags.json", None)
            self._modules[_key(repository.parent.name, repository.name)] = Module(
                files=files,
                branches=tuple(branches.get(name, DEFAULT_BRANCHES)),
                tags=None if tags is None else json.loads(tags),
            )

    def _read_types(self) -> dict[str, bytes]:
        folder = self.folder / "tosca-types"
        return {
            urlsplit(url).path.lstrip("/"): _read(folder / file)
            for url, file in _yaml_mapping(folder / "import-map.yml").items()
            if urlsplit(url).hostname == _RAW_HOST
        }

    # -- reading --------------------------------------------------------------------------------------------

    def raw(self, path: str) -> bytes | None:
        """Return the file at ``ORG/REPO/REF/path…``, None when there is no such file.

        As on the real host, owner and repository are compared without case, and a branch may also be written
        ``refs/heads/BRANCH`` or, for the default one, ``HEAD``.
        """
        if path in self._types:
            return self._types[path]
        owner, _, rest = path.partition("/")
        repository, _, rest = rest.partition("/")
        branch, _, file = rest.removeprefix("refs/heads/").partition("/")
        key = _key(owner, repository)
        files, branches = self._repository(key)
        return files.get(file) if branch in (*branches, "HEAD") else None

    def _repository(self, key: tuple[str, str]) -> tuple[dict[str, bytes], tuple[str, ...]]:
        if key == TEMPLATES_REPOSITORY:
            return self.templates, DEFAULT_BRANCHES
        if key == MODULES_REPOSITORY:
            return {"MODULES.yml": self.modules_yml}, DEFAULT_BRANCHES
        module = self._modules.get(key)
        return (module.files, module.branches) if module else ({}, ())

    def modules(self) -> list[str]:
        """Return the modules' repositories, ``org/repo`` in lower case."""
        return ["/".join(key) for key in self._modules]

    def tags(self, image: str) -> list[dict[str, Any]] | None:
        """Return the tags of an image ``namespace/repository``, None when Docker Hub has no such image.

        Each has ``name`` and perhaps ``size`` (bytes) and ``last_updated``. A module without tags of its own
        has those its metadata names in ``docker_tags``, else a usual set.
        """
        if self._images is None:
            self._images = self._collect_images()
        tags = self._images.get(image.lower())
        return None if tags is None else list(tags.values())

    def _collect_images(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return image -> tag's name -> tag; several modules may share one image."""
        images: dict[str, dict[str, dict[str, Any]]] = {}
        for key, module in self._modules.items():
            metadata = module.metadata()
            sources = metadata.get("sources")
            registry = sources.get("docker_registry_repo") if isinstance(sources, dict) else None
            if not isinstance(registry, str):
                registry = "/".join(key)
            tags = module.tags
            if tags is None:
                named = metadata.get("docker_tags")
                names = [str(name) for name in named] if isinstance(named, list) and named else DEFAULT_TAGS
                tags = [{"name": name} for name in names]
            images.setdefault(registry.strip("/").lower(), {}).update({tag["name"]: tag for tag in tags})
        return images

    # -- changing -------------------------------------------------------------------------------------------

    def change_template(self, path: str, content: str | None) -> None:
        """Write a file of the templates repository, or delete it (None). Raises PathError."""
        parts = PurePosixPath(path).parts
        if not parts or path.startswith("/") or {"..", ".git"} & set(parts) or str(PurePosixPath(path)) != path:
            raise PathError(f"{path!r} is not a path inside the repository.")
        self.changes.templates[path] = content
        if content is None:
            self.templates.pop(path, None)
        else:
            self.templates[path] = content.encode()

    def change_modules_yml(self, content: str) -> None:
        self.changes.modules_yml = content
        self.modules_yml = content.encode()

    def change_module(self, owner: str, repository: str, change: dict[str, Any]) -> None:
        """Change a module, or add one.

        ``metadata`` is raw text (None: no such file), ``tags`` a list (None: derived); a key that is absent
        leaves that side as it is.
        """
        self._images = None
        key = _key(owner, repository)
        module = self._modules.setdefault(key, Module(files={}))
        if "metadata" in change:
            if change["metadata"] is None:
                module.files.pop("metadata.json", None)
            else:
                module.files["metadata.json"] = str(change["metadata"]).encode()
        if "tags" in change:
            tags = change["tags"]
            module.tags = (
                None if tags is None else [tag if isinstance(tag, dict) else {"name": str(tag)} for tag in tags]
            )
        self.changes.modules.setdefault(f"{owner}/{repository}", {}).update(change)

    def apply(self, changes: Changes) -> None:
        """Make changes kept from an earlier start once more."""
        if changes.modules_yml is not None:
            self.change_modules_yml(changes.modules_yml)
        for path, content in changes.templates.items():
            self.change_template(path, content)
        for name, change in changes.modules.items():
            owner, _, repository = name.partition("/")
            self.change_module(owner, repository, change)


def _key(owner: str, repository: str) -> tuple[str, str]:
    return owner.lower(), repository.lower()


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def _yaml_mapping(path: Path) -> dict[str, Any]:
    data = yaml.safe_load(_read(path))
    return data if isinstance(data, dict) else {}
