"""The stand-ins of raw.githubusercontent.com, a git host and Docker Hub."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import pytest
import requests
import yaml

from sandbox.catalogue import Catalogue
from sandbox.testing import SandboxThread

TEMPLATES = "indigo-dc/tosca-templates"
MODULE = "demo-lab/DEEP-OC-demo"
METADATA = json.dumps({"title": "Demo", "sources": {"docker_registry_repo": "demo-lab/demo-image"}})


def get(sandbox: SandboxThread, path: str, **headers: str) -> requests.Response:
    return requests.get(f"{sandbox.url}{path}", headers=headers, timeout=10)


def git(*arguments: str, cwd: Path | None = None) -> str:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0"}
    done = subprocess.run(
        ["git", *arguments], cwd=cwd, env=environment, check=True, capture_output=True, text=True, timeout=60
    )
    return done.stdout.strip()


@pytest.fixture
def catalogue(catalogue_dir: Path) -> Catalogue:
    """The same catalogue, read by the test itself."""
    return Catalogue(catalogue_dir)


class TestRawFiles:
    def test_the_list_of_modules_is_served(self, fresh: SandboxThread, catalogue_dir: Path) -> None:
        answer = get(fresh, "/github/deephdc/deep-oc/master/MODULES.yml")
        assert answer.content == (catalogue_dir / "modules" / "MODULES.yml").read_bytes()
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"

    def test_most_modules_on_the_list_have_metadata(self, fresh: SandboxThread, catalogue: Catalogue) -> None:
        urls = [str(entry["module"]) for entry in yaml.safe_load(catalogue.modules_yml)]
        paths = [url.removeprefix("https://github.com/").strip("/") for url in urls]
        found = [get(fresh, f"/github/{path}/master/metadata.json").status_code for path in paths]
        assert found.count(200) > len(found) / 2

    def test_an_etag_saves_the_body(self, fresh: SandboxThread) -> None:
        path = "/github/deephdc/deep-oc/master/MODULES.yml"
        etag = get(fresh, path).headers["ETag"]
        for known in (etag, f"W/{etag}", f'"other", {etag}'):
            answer = get(fresh, path, **{"If-None-Match": known})
            assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", etag)
        assert get(fresh, path, **{"If-None-Match": '"other"'}).status_code == 200
        fresh.control.modules_yml("[]\n")
        changed = get(fresh, path, **{"If-None-Match": etag})
        assert (changed.status_code, changed.text) == (200, "[]\n")

    def test_unknown_files_branches_and_repositories_are_404(self, fresh: SandboxThread) -> None:
        fresh.control.module(MODULE, metadata=METADATA)
        assert get(fresh, f"/github/{MODULE}/master/metadata.json").status_code == 200
        for path in (
            f"{MODULE}/main/metadata.json",
            f"{MODULE}/master/other.json",
            "nobody/nothing/master/metadata.json",
            "nobody",
            f"{MODULE}/master/../../../../../etc/passwd",
        ):
            answer = get(fresh, f"/github/{path}")
            assert (answer.status_code, answer.text) == (404, "404: Not Found")

    def test_names_have_no_case_and_the_default_branch_has_other_names(self, fresh: SandboxThread) -> None:
        fresh.control.module(MODULE, metadata=METADATA)
        for path in (
            f"{MODULE.upper()}/master/metadata.json",
            f"{MODULE}/HEAD/metadata.json",
            f"{MODULE}/refs/heads/master/metadata.json",
        ):
            assert get(fresh, f"/github/{path}").text == METADATA

    def test_every_template_is_served_as_it_is(self, fresh: SandboxThread, catalogue: Catalogue) -> None:
        assert catalogue.templates
        for path, content in catalogue.templates.items():
            assert get(fresh, f"/github/{TEMPLATES}/master/{path}").content == content

    def test_type_files_are_served_at_the_path_templates_import(
        self, fresh: SandboxThread, catalogue_dir: Path
    ) -> None:
        types = catalogue_dir / "tosca-types"
        imports = yaml.safe_load((types / "import-map.yml").read_text(encoding="utf-8"))
        here = {u: f for u, f in imports.items() if u.startswith("https://raw.githubusercontent.com/")}
        assert here
        for url, file in here.items():
            path = url.removeprefix("https://raw.githubusercontent.com")
            assert get(fresh, f"/github{path}").content == (types / file).read_bytes()


class TestBranches:
    def test_a_repository_can_have_another_default_branch(self, tmp_path: Path) -> None:
        repository = tmp_path / "modules" / "demo-lab" / "newer"
        repository.mkdir(parents=True)
        (repository / "metadata.json").write_text("{}", encoding="utf-8")
        (tmp_path / "modules" / "branches.yml").write_text("demo-lab/newer: [main]\n", encoding="utf-8")
        catalogue = Catalogue(tmp_path)
        assert catalogue.raw("demo-lab/newer/main/metadata.json") == b"{}"
        assert catalogue.raw("demo-lab/newer/HEAD/metadata.json") == b"{}"
        assert catalogue.raw("demo-lab/newer/master/metadata.json") is None


class TestGit:
    def test_a_clone_holds_all_templates(self, fresh: SandboxThread, catalogue: Catalogue, tmp_path: Path) -> None:
        git("clone", f"{fresh.url}/git/{TEMPLATES}.git", str(tmp_path / "clone"))
        files = git("ls-files", "-z", cwd=tmp_path / "clone").strip("\0").split("\0")
        assert set(files) == set(catalogue.templates)
        for path, content in catalogue.templates.items():
            assert (tmp_path / "clone" / path).read_bytes() == content

    def test_the_first_commit_is_the_same_on_every_start(self, fresh: SandboxThread, catalogue_dir: Path) -> None:
        with SandboxThread(catalogue=catalogue_dir) as other:
            heads = {
                git("ls-remote", f"{url}/git/{TEMPLATES}.git", "refs/heads/master") for url in (fresh.url, other.url)
            }
        assert len(heads) == 1

    def test_a_push_reaches_git_and_the_raw_host_alike(self, fresh: SandboxThread, tmp_path: Path) -> None:
        clone = tmp_path / "clone"
        git("clone", f"{fresh.url}/git/{TEMPLATES}", str(clone))
        commit = fresh.control.push("deep-oc/brand-new.yml", "a: ü\n")
        assert git("ls-remote", f"{fresh.url}/git/{TEMPLATES}.git", "HEAD").split()[0] == commit
        git("pull", "--ff-only", cwd=clone)
        assert (clone / "deep-oc" / "brand-new.yml").read_text(encoding="utf-8") == "a: ü\n"
        assert get(fresh, f"/github/{TEMPLATES}/master/deep-oc/brand-new.yml").content == "a: ü\n".encode()

        fresh.control.push("deep-oc/brand-new.yml", None)
        git("pull", "--ff-only", cwd=clone)
        assert not (clone / "deep-oc" / "brand-new.yml").exists()
        assert get(fresh, f"/github/{TEMPLATES}/master/deep-oc/brand-new.yml").status_code == 404

    def test_a_push_that_changes_nothing_makes_no_commit(self, fresh: SandboxThread) -> None:
        first = fresh.control.push("deep-oc/same.yml", "a: 1\n")
        assert fresh.control.push("deep-oc/same.yml", "a: 1\n") == first

    def test_a_reset_takes_pushes_back(self, fresh: SandboxThread) -> None:
        url = f"{fresh.url}/git/{TEMPLATES}.git"
        before = git("ls-remote", url, "HEAD")
        fresh.control.push("deep-oc/passing.yml", "a: 1\n")
        assert git("ls-remote", url, "HEAD") != before
        fresh.control.reset()
        assert git("ls-remote", url, "HEAD") == before
        assert get(fresh, f"/github/{TEMPLATES}/master/deep-oc/passing.yml").status_code == 404

    def test_a_shallow_clone_with_old_history_works(self, fresh: SandboxThread, tmp_path: Path) -> None:
        for number in range(3):
            fresh.control.push("deep-oc/counter.yml", f"a: {number}\n")
        git("clone", "--depth", "1", f"{fresh.url}/git/{TEMPLATES}.git", str(tmp_path / "shallow"))
        assert git("rev-list", "--count", "HEAD", cwd=tmp_path / "shallow") == "1"

    def test_nothing_can_be_written(self, fresh: SandboxThread, tmp_path: Path) -> None:
        clone = tmp_path / "clone"
        git("clone", f"{fresh.url}/git/{TEMPLATES}.git", str(clone))
        git("-c", "user.name=x", "-c", "user.email=x@x", "commit", "--allow-empty", "-m", "x", cwd=clone)
        with pytest.raises(subprocess.CalledProcessError):
            git("push", cwd=clone)

    def test_other_repositories_and_paths_are_404(self, fresh: SandboxThread) -> None:
        for path in (
            "/git/indigo-dc/other.git/info/refs?service=git-upload-pack",
            f"/git/{TEMPLATES}.git/config",
            "/git/indigo-dc/..%2f..%2fsigning-key.pem/info/refs?service=git-upload-pack",
        ):
            assert get(fresh, path).status_code == 404


class TestDockerHub:
    def tags(self, sandbox: SandboxThread, image: str, query: str = "") -> requests.Response:
        return get(sandbox, f"/dockerhub/v2/repositories/{image}/tags{query}")

    def test_pages_lead_to_all_tags_in_order(self, fresh: SandboxThread) -> None:
        names = [f"tag-{number}" for number in range(23)]
        fresh.control.module(MODULE, metadata=METADATA, tags=names)
        url: str | None = f"{fresh.url}/dockerhub/v2/repositories/demo-lab/demo-image/tags"
        sizes, found = [], []
        while url:
            page = requests.get(url, timeout=10).json()
            assert page["count"] == 23
            sizes.append(len(page["results"]))
            found += [tag["name"] for tag in page["results"]]
            url = page["next"]
        assert (sizes, found) == ([10, 10, 3], names)
        assert page["previous"].endswith("page=2&page_size=10")

    def test_a_page_holds_a_hundred_at_most(self, fresh: SandboxThread) -> None:
        fresh.control.module(MODULE, metadata=METADATA, tags=[f"t{number}" for number in range(150)])
        page = self.tags(fresh, "demo-lab/demo-image", "?page_size=500").json()
        assert len(page["results"]) == 100
        assert self.tags(fresh, "demo-lab/demo-image", "?page=2&page_size=100").json()["next"] is None

    def test_an_entry_tells_name_size_and_date(self, fresh: SandboxThread) -> None:
        tag = {"name": "gpu", "size": 12345, "last_updated": "2022-10-21T09:22:33.123456Z"}
        fresh.control.module(MODULE, metadata=METADATA, tags=[tag])
        (entry,) = self.tags(fresh, "demo-lab/demo-image").json()["results"]
        assert (entry["name"], entry["full_size"], entry["last_updated"]) == tuple(tag.values())
        assert entry["images"][0]["size"] == 12345

    def test_tags_come_from_the_metadata_where_none_are_given(self, fresh: SandboxThread) -> None:
        fresh.control.module(MODULE, metadata=METADATA)
        page = self.tags(fresh, "demo-lab/demo-image").json()
        assert [tag["name"] for tag in page["results"]] == ["cpu", "gpu", "latest", "cpu-test", "GPU-Test"]
        named = json.dumps({**json.loads(METADATA), "docker_tags": ["v1", "v2"]})
        fresh.control.module(MODULE, metadata=named)
        page = self.tags(fresh, "demo-lab/demo-image").json()
        assert [tag["name"] for tag in page["results"]] == ["v1", "v2"]

    def test_an_unknown_image_is_404_and_version_one_is_gone(self, fresh: SandboxThread) -> None:
        assert self.tags(fresh, "nobody/nothing").status_code == 404
        assert get(fresh, "/dockerhub/v1/repositories/demo-lab/demo-image/tags").status_code == 410

    def test_too_many_calls_a_minute_are_429(self, fresh: SandboxThread) -> None:
        fresh.control.module(MODULE, metadata=METADATA)
        fresh.control.settings(dockerhub_limit=0)
        answer = self.tags(fresh, "demo-lab/demo-image")
        assert answer.status_code == 429
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
        assert answer.headers["X-RateLimit-Remaining"] == "0"

    def test_the_limit_is_counted_down(self, fresh: SandboxThread) -> None:
        fresh.control.module(MODULE, metadata=METADATA)
        headers = self.tags(fresh, "demo-lab/demo-image").headers
        assert int(headers["X-RateLimit-Limit"]) - int(headers["X-RateLimit-Remaining"]) == 1
        assert int(headers["X-RateLimit-Reset"]) > time.time() - 60
