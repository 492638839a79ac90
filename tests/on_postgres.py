"""The suites that touch the database once more, on a PostgreSQL of their own: ``python -m tests.on_postgres``.

Words after it go to pytest. The tests over whole stacks are left out: they choose their databases themselves.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.servers import postgres
from tests.stack import ROOT

SUITES = ("deepdash", "accounts", "catalog", "deployments", "tests/test_strangers.py", "tests/test_fuzzing.py",
          "tests/test_hostile_texts.py")  # fmt: skip


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="deepdash-") as folder, postgres(Path(folder)) as server:
        environment = {**os.environ, "DEEPDASH_DATABASE_URL": server.url}
        command = [sys.executable, "-m", "pytest", *SUITES, "-n", "auto", *sys.argv[1:]]
        return subprocess.run(command, cwd=ROOT, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
