"""Commands, and checks of the configuration."""

import os
import signal
import time
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone

from catalog.checks import catalogue_sources
from catalog.models import RefreshRun, TypeFile
from catalog.sources.fetch import Fetched
from catalog.testing import TEMPLATE, use_config
from catalog.tests.conftest import LIST, RAW, TYPES, TYPES_TEXT, World
from deepdash.errors import Problem

pytestmark = pytest.mark.django_db


def test_the_command_refreshes_and_tells_what_went_wrong(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.files[f"{RAW}/deephdc/DEEP-OC-one/master/metadata.json"] = "{"
    call_command("refresh_catalog")
    said = capsys.readouterr().out
    assert "module deep-oc-one: metadata.json can’t be read as its source has it." in said
    assert "Done in" in said
    assert "1 failed, 4 new" in said
    with pytest.raises(CommandError):
        call_command("refresh_catalog", "--strict")


def test_the_command_says_when_another_process_does_it(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    RefreshRun.objects.create(trigger="command", state="running", alive_at=timezone.now())
    call_command("refresh_catalog")
    assert "Another process is refreshing" in capsys.readouterr().out


def test_a_command_that_is_told_to_end_leaves_no_run_that_looks_alive(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(report: object, progress: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)

    monkeypatch.setattr("catalog.services._refresh", ended)
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit):
        call_command("refresh_catalog")
    assert RefreshRun.objects.get().state == RefreshRun.State.ABANDONED
    assert signal.getsignal(signal.SIGTERM) == before


def test_templates_are_checked_for_their_authors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    TypeFile.objects.create(url=TYPES, raw=TYPES_TEXT)
    (tmp_path / "good.yml").write_text(TEMPLATE, encoding="utf-8")
    call_command("check_templates", str(tmp_path), verbosity=2)
    said = capsys.readouterr().out
    assert "good.yml: valid" in said
    assert "9 inputs, 1 outputs, MARATHON" in said
    assert "- docker_privileged: string (required) = false [valid_values [False, True]]" in said
    assert "1 templates: 1 valid, 1 usable, 0 can't be read." in said

    (tmp_path / "odd.yml").write_text(TEMPLATE.replace("docker_image:", "docker_image: text\n    b:"), encoding="utf-8")
    call_command("check_templates", str(tmp_path))
    with pytest.raises(CommandError):
        call_command("check_templates", str(tmp_path), "--strict")

    (tmp_path / "bad.yml").write_text("a: &b 1", encoding="utf-8")
    with pytest.raises(CommandError):
        call_command("check_templates", str(tmp_path / "bad.yml"))
    assert "bad.yml: can't be read. Anchors are not taken (&b in line 1)." in capsys.readouterr().out
    with pytest.raises(CommandError, match="can't be read"):
        call_command("check_templates", str(tmp_path / "missing.yml"))


def test_types_that_are_not_known_are_fetched_or_said_to_be_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "good.yml").write_text(TEMPLATE, encoding="utf-8")
    asked: list[str] = []

    def fetched(session: object, url: str) -> Fetched:
        asked.append(url)
        return Fetched(TYPES_TEXT, "")

    monkeypatch.setattr("catalog.management.commands.check_templates.read_type_file", fetched)
    call_command("check_templates", str(tmp_path), "--strict")
    assert asked == [TYPES]

    def failed(session: object, url: str) -> Fetched:
        raise Problem("catalog:source", detail="404: Not Found", what="A file of TOSCA types")

    monkeypatch.setattr("catalog.management.commands.check_templates.read_type_file", failed)
    call_command("check_templates", str(tmp_path))
    assert f"! {TYPES} can't be fetched. 404: Not Found" in capsys.readouterr().out
    with pytest.raises(CommandError):
        call_command("check_templates", str(tmp_path), "--strict", "--offline")


def test_templates_are_checked_without_a_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(**columns: object) -> None:
        raise OperationalError("no such table")

    (tmp_path / "good.yml").write_text(TEMPLATE, encoding="utf-8")
    monkeypatch.setattr(TypeFile.objects, "exclude", away)
    call_command("check_templates", str(tmp_path), "--offline")


def test_a_configuration_that_leaves_the_catalogue_empty_is_warned_of(tmp_path: Path) -> None:
    empty = {"MODULES_YML": "", "TOSCA_TEMPLATES_DIR": "", "TOSCA_TEMPLATES_REPO": "", "COMMON_TOSCAS": {}}
    with use_config(**empty):
        assert [found.id for found in catalogue_sources(None)] == ["catalog.W001", "catalog.W002", "catalog.W005"]
    missing = {
        "TOSCA_TEMPLATES_DIR": str(tmp_path / "no"),
        "TOSCA_PARAMETERS_DIR": str(tmp_path / "no"),
        "TOSCA_TYPES": {"u": "/no/file"},
    }
    with use_config(MODULES_YML=LIST, TOSCA_TEMPLATES_REPO="", **missing):
        assert [found.id for found in catalogue_sources(None)] == ["catalog.W003", "catalog.W004", "catalog.W006"]
    with use_config(MODULES_YML=LIST, TOSCA_TEMPLATES_DIR=str(tmp_path), TOSCA_PARAMETERS_DIR="", TOSCA_TYPES={}):
        assert catalogue_sources(None) == []
