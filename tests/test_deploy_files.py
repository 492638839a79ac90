"""What the container, compose and Kubernetes are told fits the code: names of keys, files that are copied, rights."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from deepdash.config import Config
from tests.stack import ROOT

KUBERNETES = ROOT / "deploy" / "kubernetes"
OTHER_NAMES = {"CONFIG", "HOME"}  # DEEPDASH_ names that are no keys: where the configuration and the code are


def documents() -> list[tuple[str, dict[str, Any]]]:
    return [
        (path.name, document)
        for path in sorted(KUBERNETES.glob("*.yaml"))
        for document in yaml.safe_load_all(path.read_text())
        if document
    ]


def pods() -> list[tuple[str, dict[str, Any]]]:
    return [(name, document) for name, document in documents() if document["kind"] in {"Deployment", "Job"}]


@pytest.mark.parametrize("path", ["Dockerfile", "compose.yaml", "deploy", "docs/migrating.md"])
def test_every_key_that_is_named_is_one(path: str) -> None:
    place = ROOT / path
    files = [file for file in place.rglob("*") if file.is_file()] if place.is_dir() else [place]
    named = {name for file in files for name in re.findall(r"\bDEEPDASH_([A-Z_]+[A-Z])\b", file.read_text())}
    assert named
    assert {name.removesuffix("_FILE") for name in named} - set(Config.model_fields) - OTHER_NAMES == set()


def test_the_image_holds_all_that_the_code_is_made_of() -> None:
    """A new app or folder that settings name must be copied, or the container starts without it."""
    copied = set(re.findall(r"^COPY ([\w./-]+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE))
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    folders = {line.partition("/")[0] for line in tracked.splitlines() if "/" in line}
    beside = {"sandbox", "tests", "benchmarks", "tools", "docs", "deploy", ".ci"}  # not of the running dashboard
    assert {folder for folder in folders if not folder.startswith(".github")} - copied - beside == set()
    assert all((ROOT / name).exists() for name in copied if not name.startswith(("/", "-")))


def test_the_entrypoint_parses_and_may_be_run() -> None:
    subprocess.run(["/bin/sh", "-n", str(ROOT / "deploy" / "entrypoint.sh")], check=True)
    assert (ROOT / "deploy" / "entrypoint.sh").stat().st_mode & 0o111


def test_kustomization_names_files_that_exist_and_all_of_them() -> None:
    listed = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())["resources"]
    assert sorted(listed) == sorted(path.name for path in KUBERNETES.glob("*.yaml") if path.stem != "kustomization")


@pytest.mark.parametrize(("name", "document"), pods(), ids=[name for name, _ in pods()])
def test_pods_may_do_nothing_they_need_not(name: str, document: dict[str, Any]) -> None:
    pod = document["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    for container in pod["containers"]:
        rights = container["securityContext"]
        assert rights["readOnlyRootFilesystem"] is True
        assert rights["allowPrivilegeEscalation"] is False
        assert rights["capabilities"] == {"drop": ["ALL"]}
        assert set(container["resources"]) >= {"requests", "limits"}


def test_there_are_several_web_hosts_with_probes_and_exactly_one_beat() -> None:
    made = {document["metadata"]["name"]: document["spec"] for _, document in pods()}
    beat = next(spec for name, spec in made.items() if "beat" in name)
    assert (beat["replicas"], beat["strategy"]["type"]) == (1, "Recreate")
    web = next(spec for name, spec in made.items() if "web" in name)
    assert web["replicas"] >= 2
    container = web["template"]["spec"]["containers"][0]
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"


def test_compose_starts_each_part_once_and_as_nobody() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    assert {"web", "worker", "beat", "migrate", "database", "redis", "sandbox"} <= set(services)
    for name in ("web", "worker", "beat", "migrate", "trial"):
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]
    assert "sandbox" in services["sandbox"]["profiles"]


def test_the_configuration_that_ci_checks_for_production_is_complete() -> None:
    assert set(json.loads(Path(ROOT / "tools" / "check-deploy.json").read_text())) <= set(Config.model_fields)
