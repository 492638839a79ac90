"""Where things are: folders and addresses, worked out from the configuration."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from deepdash.config import BASE_DIR, config

GITHUB = "https://github.com/"
GITHUB_RAW = "https://raw.githubusercontent.com/"
BRANCHES = ("master", "main", "HEAD")  # where metadata is looked for when the list names none


@dataclass(frozen=True)
class TemplatePlace:
    """``folder`` holds the templates, ``checkout`` is the git checkout around it, ``repository`` its origin."""

    folder: Path
    checkout: Path | None
    repository: str


def template_place() -> TemplatePlace | None:
    """Where the templates are, or None when nothing says so.

    A TOSCA_TEMPLATES_DIR that lies inside a checkout (``../tosca-templates/deep-oc``) is recognised by a ``.git``
    above it or, before it is cloned, by a part of its path that is named as the repository.
    """
    repository = config.TOSCA_TEMPLATES_REPO
    if not config.TOSCA_TEMPLATES_DIR:
        if not repository:
            return None
        checkout = config.data_dir.absolute() / "tosca-templates"
        inner = checkout / "deep-oc"
        return TemplatePlace(inner if inner.is_dir() else checkout, checkout, repository)
    folder = below_base(config.TOSCA_TEMPLATES_DIR)
    around = [folder, *folder.parents]
    cloned = next((path for path in around if (path / ".git").exists() and path != BASE_DIR), None)
    if cloned or not repository:
        return TemplatePlace(folder, cloned, repository)
    name = repository_name(repository)
    return TemplatePlace(folder, next((path for path in around if path.name == name), folder), repository)


def parameters_folder() -> Path | None:
    """Where the parameters files are, or None."""
    return below_base(config.TOSCA_PARAMETERS_DIR) if config.TOSCA_PARAMETERS_DIR else None


def metadata_folder() -> Path | None:
    """Where the metadata files of templates are, or None."""
    return below_base(config.TOSCA_METADATA_DIR) if config.TOSCA_METADATA_DIR else None


def below_base(path: str) -> Path:
    """An absolute path; a relative one counts from the folder of manage.py."""
    return Path(BASE_DIR, path).resolve()


def repository_name(url: str) -> str:
    """The last part of a repository's address, without ``.git``."""
    return urlsplit(url).path.rstrip("/").removesuffix(".git").rpartition("/")[2]


def raw_address(url: str) -> str:
    """Where a raw GitHub file is read, given its public address; "" for any other address.

    Metadata and templates come from outsiders: of the addresses in them only those of the one file host are called.
    """
    if not url.startswith(GITHUB_RAW):
        return ""
    path = url.removeprefix(GITHUB_RAW)
    odd = ".." in path.split("/") or any(char in path for char in "?#%\\")
    return "" if odd else f"{config.GITHUB_RAW_URL}/{path}"
