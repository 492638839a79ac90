"""What a web worker has in memory when it starts."""

import os
import subprocess
import sys
from pathlib import Path

from deepdash.config import BASE_DIR


def test_a_web_worker_does_not_load_what_only_refreshes_and_brokers_need(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DEEPDASH_")}
    loaded = subprocess.run(
        [sys.executable, "-c", "import deepdash.wsgi, sys; print(*sys.modules)"],
        cwd=BASE_DIR,
        env=environment | {"DEEPDASH_DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "deepdash.settings"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "catalog.admin.modules" in loaded
    assert not {"toscaparser", "jsonschema", "markdown_it", "nh3", "redis", "unittest"} & set(loaded)
