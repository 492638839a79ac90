"""docs/security.md names, for each border, tests that exist; CI runs all of them."""

import re
from pathlib import Path

import pytest

from deepdash.config import BASE_DIR

TEXT = (BASE_DIR / "docs" / "security.md").read_text(encoding="utf-8")
_TABLE = TEXT.partition("| border |")[2].partition("\n\n")[0]
ROWS = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in _TABLE.splitlines()[2:]]


def test_there_are_borders() -> None:
    assert len(ROWS) >= 15
    assert {len(row) for row in ROWS} == {4}


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_each_border_names_tests_that_exist(row: list[str]) -> None:
    named = re.findall(r"`([^`]+)`", row[3])
    assert named, row
    for name in named:
        if name == "make check":  # what is no test: CI runs it, and it compares the packages
            assert "make check" in (BASE_DIR / ".ci" / "run").read_text()
            assert "tools/audit.py" in (BASE_DIR / "Makefile").read_text()
            continue
        path = BASE_DIR / name
        assert path.name.startswith("test_"), name
        assert "\ndef test_" in path.read_text(encoding="utf-8") or "    def test_" in path.read_text("utf-8"), name
        assert Path(name).parts[0] in {"accounts", "catalog", "deepdash", "deployments", "tests"}, name
