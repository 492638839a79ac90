"""Which process of pytest-xdist runs which tests, and in which order.

A file goes to one process as a whole. What runs against whole sites comes first: it takes minutes, most of it waiting,
and were it left for the end, one process would be at it and the others would have nothing to do. (Left to itself
pytest-xdist begins with the files of the most tests, which are the quick ones.)
"""

import pytest
from xdist.scheduler import LoadFileScheduling

# Files that share what takes long to start or to install, and so stay together; what takes longest is first.
TOGETHER = {
    "tests/faults": ("clock", "full_disk", "killed", "late", "race", "stores"),
    "tests": ("real_deepaas", "real_deepaas_browser"),
}
GROUPS = {f"{folder}/test_{name}.py": folder + names[0] for folder, names in TOGETHER.items() for name in names}
LONG = (*GROUPS, "tests/test_celery.py", "tests/test_production.py", "tests/test_accessibility.py", "tests/faults/")


class WholeFiles(LoadFileScheduling):  # type: ignore[misc]  # pytest-xdist is untyped
    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return GROUPS.get(file, file)


def by_length(item: pytest.Item) -> int:
    """Smaller for what takes longer."""
    places = [place for place, start in enumerate((*LONG, "tests/")) if item.nodeid.startswith(start)]
    return min(places, default=len(LONG) + 1)
