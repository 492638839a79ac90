"""Each source is read carefully: lists, folders, git repositories, tags, types."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import responses
from responses import matchers

from catalog.sources import folder, git, places
from catalog.sources.dockerhub import DockerHub
from catalog.sources.fetch import github_session
from catalog.sources.metadata import image_name, metadata_address, parse_metadata, web_address
from catalog.sources.modules import listed_module, parse_modules
from catalog.sources.types import read_type_file
from catalog.testing import use_config
from catalog.tests.conftest import make_metadata, make_tag
from deepdash.errors import Problem
from deepdash.http import ServiceError

# -- MODULES.yml ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/deephdc/DEEP-OC-demo_app",
        "https://github.com/deephdc/DEEP-OC-demo_app/",
        "https://github.com/deephdc//DEEP-OC-demo_app.git",
        " https://github.com/deephdc/DEEP-OC-demo_app.git/ ",
        "https://github.com/deephdc/DEEP-OC-demo_app/tree/master",
        "https://github.com/deephdc/DEEP-OC-demo_app/tree/feature/x/",
    ],
)
def test_a_module_is_known_whatever_its_address_ends_in(url: str) -> None:
    found = listed_module(url)
    assert found
    assert (found.slug, found.url) == ("deep-oc-demo-app", "https://github.com/deephdc/DEEP-OC-demo_app")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/",
        "github.com/a/b",
        "file:///etc/passwd",
        "https://",
        "https://user:pw@host/a",
        "javascript:alert(1)",
        "https://h/???",
    ],
)
def test_what_is_no_address_of_a_module(url: str) -> None:
    assert listed_module(url) is None


def test_repeats_and_odd_entries_are_remarked_on() -> None:
    found = parse_modules(
        "- module: https://h/a/one\n- {}\n- module: https://h/b/ONE\n- module: https://h/a/one/\n- https://h/a/two\n"
    )
    assert [module.slug for module in found.modules] == ["one", "two"]
    assert found.remarks == (
        "Entry 2 names no module.",
        "Entry 3 repeats one, as https://h/b/ONE.",
        "Entry 4 repeats one.",
    )


# -- metadata.json ----------------------------------------------------------------------------------------------


def test_addresses_of_metadata() -> None:
    with use_config(GITHUB_RAW_URL="https://raw.example"):
        assert metadata_address("https://github.com/o/r", "main") == "https://raw.example/o/r/main/metadata.json"
        assert metadata_address("https://git.example/o/r", "main") == "https://git.example/o/r/main/metadata.json"


@pytest.mark.parametrize(
    ("written", "image"),
    [
        ("deephdc/a", "deephdc/a"),
        ("deephdc/a:gpu", "deephdc/a"),
        ("docker.io/deephdc/a", "deephdc/a"),
        (" deephdc/a/ ", "deephdc/a"),
        ("https://hub.docker.com/r/deephdc/a", "deephdc/a"),
        ("", ""),
    ],
)
def test_names_of_images(written: str, image: str) -> None:
    assert image_name(written) == image


@pytest.mark.parametrize(
    "value", ["javascript:alert(1)", "//evil", "https://", "https://a b", None, 7, ["https://a"], "http://[", "data:x"]
)
def test_what_is_no_web_address(value: object) -> None:
    assert web_address(value) == ""


def test_complete_metadata_has_nothing_to_remark_on() -> None:
    assert parse_metadata(json.dumps(make_metadata())).remarks == ()


@pytest.mark.parametrize("key", ["summary", "description", "keywords", "license", "date_creation", "sources", "tosca"])
@pytest.mark.parametrize("value", [None, 7, True, "x", ["x", 7], {"a": []}, [[["x"]]]])
def test_no_single_wrong_value_makes_metadata_useless(key: str, value: object) -> None:
    found = parse_metadata(json.dumps(make_metadata() | {key: value}))
    assert found.title == "Title of DEEP-OC-demo"


# -- folders ----------------------------------------------------------------------------------------------------


def test_a_folder_is_read_and_nothing_outside_it(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    (inside / "deep").mkdir(parents=True)
    (inside / ".git").mkdir()
    outside.mkdir()
    (outside / "secret.yml").write_text("secret: 1", encoding="utf-8")
    (inside / "a.yml").write_text("\ufeffa: 1", encoding="utf-8")
    (inside / "deep" / "b.yaml").write_bytes(b"\xff\xfe")
    (inside / "deep" / "c.parameters.yml").write_text("inputs: {}", encoding="utf-8")
    (inside / ".git" / "hidden.yml").write_text("a: 1", encoding="utf-8")
    (inside / "readme.md").write_text("no", encoding="utf-8")
    (inside / "huge.yml").write_text("x" * 1_000_000, encoding="utf-8")
    (inside / "link.yml").symlink_to(outside / "secret.yml")
    (inside / "folder").symlink_to(outside)
    os.mkfifo(inside / "pipe.yml")
    found = {file.path: file for file in folder.read_templates(inside)}
    assert set(found) == {"a.yml", "deep/b.yaml", "huge.yml"}
    assert found["a.yml"].text == "a: 1"
    assert found["deep/b.yaml"].error == "It is not UTF-8 text (byte 0)."
    assert len(found["huge.yml"].text) < 300_000
    assert [file.path for file in folder.read_parameters(inside)] == ["deep/c.parameters.yml"]


def test_a_folder_that_is_not_there_is_a_problem_of_the_operator(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="There is no folder"):
        folder.read_templates(tmp_path / "no")


# -- git --------------------------------------------------------------------------------------------------------


@pytest.fixture
def upstream(tmp_path: Path) -> Path:
    repository = tmp_path / "upstream" / "tosca-templates"
    repository.mkdir(parents=True)
    run_git(repository, "init", "--quiet", "--initial-branch=trunk")
    commit(repository, {"deep-oc/a.yml": "a: 1"})
    return repository


def run_git(repository: Path, *arguments: str) -> str:
    who = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    return subprocess.run(
        ["git", *who, *arguments], cwd=repository, check=True, capture_output=True, text=True
    ).stdout.strip()


def commit(repository: Path, files: dict[str, str]) -> str:
    for name, text in files.items():
        path = repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    run_git(repository, "add", "--all")
    run_git(repository, "commit", "--quiet", "-m", "change")
    return run_git(repository, "rev-parse", "HEAD")


def test_a_repository_is_cloned_whatever_its_branch_and_followed_even_through_a_forced_push(
    upstream: Path, tmp_path: Path
) -> None:
    checkout = tmp_path / "var" / "tosca-templates"
    first = git.update_checkout(checkout, f"file://{upstream}")
    assert first == run_git(upstream, "rev-parse", "HEAD")
    assert (checkout / "deep-oc" / "a.yml").read_text(encoding="utf-8") == "a: 1"
    run_git(upstream, "commit", "--quiet", "--amend", "-m", "rewritten")
    (upstream / "deep-oc" / "a.yml").unlink()
    second = commit(upstream, {"deep-oc/b.yml": "b: 1"})
    (checkout / "deep-oc" / "stray.yml").write_text("x: 1", encoding="utf-8")
    assert git.update_checkout(checkout, f"file://{upstream}") == second
    assert sorted(path.name for path in (checkout / "deep-oc").iterdir()) == ["b.yml"]
    assert [path.name for path in checkout.parent.iterdir()] == ["tosca-templates"]


def test_an_operators_own_checkout_is_only_moved_forward(upstream: Path, tmp_path: Path) -> None:
    checkout = tmp_path / "own"
    run_git(tmp_path, "clone", "--quiet", str(upstream), str(checkout))
    (checkout / "deep-oc" / "mine.yml").write_text("mine: 1", encoding="utf-8")
    new = commit(upstream, {"deep-oc/b.yml": "b: 1"})
    assert git.update_checkout(checkout, "") == new
    assert (checkout / "deep-oc" / "mine.yml").exists()
    commit(checkout, {"deep-oc/mine.yml": "mine: 2"})
    commit(upstream, {"deep-oc/c.yml": "c: 1"})
    with pytest.raises(Problem, match="merge"):
        git.update_checkout(checkout, "")


def test_nothing_of_a_repository_or_checkout_is_executed(upstream: Path, tmp_path: Path) -> None:
    trap, checkout = tmp_path / "trapped", tmp_path / "checkout"
    commit(upstream, {".gitattributes": "*.yml filter=evil", "deep-oc/b.yml": "b: 1"})
    git.update_checkout(checkout, f"file://{upstream}")
    for hook in ("post-checkout", "post-merge", "reference-transaction"):
        path = checkout / ".git" / "hooks" / hook
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\ntouch {trap}\n", encoding="utf-8")
        path.chmod(0o755)
    run_git(checkout, "config", "core.fsmonitor", f"touch {trap}")
    commit(upstream, {"deep-oc/c.yml": "c: 1"})
    git.update_checkout(checkout, f"file://{upstream}")
    assert (checkout / "deep-oc" / "c.yml").exists()
    assert not trap.exists()


def test_a_link_in_a_repository_does_not_lead_out_of_it(upstream: Path, tmp_path: Path) -> None:
    (upstream / "deep-oc" / "passwd.yml").symlink_to("/etc/passwd")
    commit(upstream, {"deep-oc/b.yml": "b: 1"})
    checkout = tmp_path / "checkout"
    git.update_checkout(checkout, f"file://{upstream}")
    texts = {file.path: file.text for file in folder.read_templates(checkout / "deep-oc")}
    assert texts["passwd.yml"] == "/etc/passwd"


@pytest.mark.parametrize(
    "repository", ["ext::sh -c 'touch /tmp/trap'", "ssh://127.0.0.1/x", "git://127.0.0.1/x", "--upload-pack=touch"]
)
def test_other_protocols_are_refused(repository: str, tmp_path: Path) -> None:
    with pytest.raises(Problem):
        git.update_checkout(tmp_path / "checkout", repository)
    assert list(tmp_path.iterdir()) == []


def test_a_git_that_hangs_is_ended_with_its_helpers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "bin" / "git"
    script.parent.mkdir()
    script.write_text(f"#!/bin/sh\nsleep 600 &\necho $! > {tmp_path}/helper\nwait\n", encoding="utf-8")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:{os.environ['PATH']}")
    with pytest.raises(Problem, match="longer than"):
        git.update_checkout(tmp_path / "checkout", "https://h.example/r.git", seconds=3)
    helper = Path(f"/proc/{(tmp_path / 'helper').read_text(encoding='utf-8').strip()}/stat")
    # Nobody may be there to fetch its end: what has ended and waits for that (Z) is gone too.
    assert not helper.exists() or helper.read_text(encoding="utf-8").rpartition(")")[2].split()[0] in "ZX"


def test_a_folder_that_is_in_the_way_is_not_overwritten(upstream: Path, tmp_path: Path) -> None:
    (tmp_path / "checkout").mkdir()
    (tmp_path / "checkout" / "precious").write_text("x", encoding="utf-8")
    with pytest.raises(Problem, match="no git checkout"):
        git.update_checkout(tmp_path / "checkout", f"file://{upstream}")
    assert (tmp_path / "checkout" / "precious").exists()


# -- places -----------------------------------------------------------------------------------------------------


def test_the_checkout_around_the_templates_is_recognised(tmp_path: Path) -> None:
    repository = "https://github.com/indigo-dc/tosca-templates.git"
    wanted = tmp_path / "opt" / "tosca-templates" / "deep-oc"
    with use_config(TOSCA_TEMPLATES_DIR=str(wanted), TOSCA_TEMPLATES_REPO=repository):
        assert places.template_place() == places.TemplatePlace(wanted, wanted.parent, repository)
    with use_config(TOSCA_TEMPLATES_DIR=str(tmp_path / "x"), TOSCA_TEMPLATES_REPO=repository):
        assert places.template_place() == places.TemplatePlace(tmp_path / "x", tmp_path / "x", repository)
    (wanted.parent / ".git").mkdir(parents=True)
    with use_config(TOSCA_TEMPLATES_DIR=str(wanted), TOSCA_TEMPLATES_REPO=""):
        assert places.template_place() == places.TemplatePlace(wanted, wanted.parent, "")
    with use_config(TOSCA_TEMPLATES_DIR="", TOSCA_TEMPLATES_REPO=repository, DATA_DIR=str(tmp_path)):
        place = places.template_place()
    assert place
    assert place.checkout == tmp_path / "tosca-templates"
    with use_config(TOSCA_TEMPLATES_DIR="", TOSCA_TEMPLATES_REPO=""):
        assert places.template_place() is None


@pytest.mark.parametrize(
    "url",
    [
        "https://raw.githubusercontent.com.evil/x",
        "http://raw.githubusercontent.com/x",
        f"{places.GITHUB_RAW}a/../b",
        f"{places.GITHUB_RAW}a?b",
    ],
)
def test_only_plain_addresses_of_the_file_host_are_called(url: str) -> None:
    assert places.raw_address(url) == ""


# -- Docker Hub -------------------------------------------------------------------------------------------------


@pytest.fixture
def hub() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock, use_config(DOCKERHUB_URL="https://hub.example"):
        yield mock


def page(
    mock: responses.RequestsMock, number: int, tags: list[dict[str, Any]], more: bool, image: str = "deephdc/a"
) -> None:
    address = f"https://hub.example/v2/repositories/{image}/tags"
    mock.get(
        address,
        json={"next": f"https://elsewhere.example/?page={number + 1}" if more else None, "results": tags},
        match=[matchers.query_param_matcher({"page": number, "page_size": 100})],
    )


def test_all_pages_of_tags_are_read_from_the_configured_registry(hub: responses.RequestsMock) -> None:
    page(hub, 1, [make_tag("old", "2020-01-01T00:00:00Z"), make_tag("GPU-Test")], more=True)
    page(hub, 2, [make_tag("newest", "2025-01-01T00:00:00Z")], more=False)
    found = DockerHub().read_tags("deephdc/a")
    assert found.tags
    assert [tag.name for tag in found.tags] == ["newest", "GPU-Test", "old"]


def test_official_images_have_a_namespace_of_their_own(hub: responses.RequestsMock) -> None:
    page(hub, 1, [], more=False, image="library/python")
    assert DockerHub().read_tags("python").tags == ()


def test_a_registry_that_asks_to_slow_down_is_waited_for(
    hub: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("catalog.sources.dockerhub.time.sleep", slept.append)
    hub.get("https://hub.example/v2/repositories/deephdc/a/tags", status=429, headers={"Retry-After": "7"})
    page(hub, 1, [make_tag("cpu")], more=False)
    assert DockerHub().read_tags("deephdc/a").tags
    assert len(slept) == 1
    assert 6 < slept[0] <= 7


def test_more_patience_than_a_refresh_has_is_left_to_the_next_one(hub: responses.RequestsMock) -> None:
    hub.get("https://hub.example/v2/repositories/deephdc/a/tags", status=429, headers={"Retry-After": "3600"})
    reader = DockerHub()
    for _ in range(3):
        with pytest.raises(ServiceError) as error:
            reader.read_tags("deephdc/a")
        assert error.value.id == "service:busy"
    assert len(hub.calls) == 1, "it is not asked again before its time"


@pytest.mark.parametrize("image", ["", "../etc", "a/b/c", "UPPER/case", "a b", "host.example/a/b", "a/b?x=1"])
def test_what_is_no_image_is_not_asked_for(image: str) -> None:
    with pytest.raises(Problem):
        DockerHub().read_tags(image)


@pytest.mark.parametrize(
    ("body", "status", "id"),
    [
        ("<html>", 200, "service:garbled"),
        ('{"results": 7}', 200, "service:garbled"),
        ("{}", 404, "service:missing"),
        ("", 503, "service:fault"),
    ],
)
def test_rubbish_from_the_registry_is_named(hub: responses.RequestsMock, body: str, status: int, id: str) -> None:
    hub.get("https://hub.example/v2/repositories/deephdc/a/tags", body=body, status=status)
    with pytest.raises(ServiceError) as error:
        DockerHub().read_tags("deephdc/a")
    assert error.value.id == id


# -- types ------------------------------------------------------------------------------------------------------


def test_types_come_from_where_the_configuration_says(tmp_path: Path) -> None:
    file = tmp_path / "types.yaml"
    file.write_text("node_types: {}", encoding="utf-8")
    with use_config(TOSCA_TYPES={"https://types.example/a": str(file)}):
        assert read_type_file(github_session(), "https://types.example/a").text == "node_types: {}"


@pytest.mark.parametrize(
    "address", ["https://types.example/b", "file:///etc/passwd", "/etc/passwd", "../etc/passwd", "http://127.0.0.1/x"]
)
def test_types_at_any_other_address_are_not_called(address: str) -> None:
    with pytest.raises(Problem, match="TOSCA_TYPES does not say"):
        read_type_file(github_session(), address)


def test_metadata_neither_steers_a_terminal_nor_turns_around() -> None:
    found = parse_metadata(
        json.dumps(
            {"title": "Cat\u202e\x1b[2J gnp", "summary": "a\x07b", "description": ["one\x1b]0;x\x07", "two\u2066"]}
        )
    )

    assert (found.title, found.summary, found.description) == ("Cat gnp", "ab", "one\ntwo")
