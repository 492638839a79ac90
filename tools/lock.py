"""Renew requirements*.txt from pyproject.toml: exact versions with hashes, for every Python from 3.11 on."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMON = [
    "--universal", "--python-version=3.11", "--generate-hashes", "--no-emit-index-url", "--no-emit-find-links",
    "--no-header", "--no-annotate", "--quiet",
]  # fmt: skip


def main() -> None:
    real = "tests/real"  # the real services, in environments of their own
    for source, output, extra in (
        ("pyproject.toml", "requirements.txt", []),
        ("pyproject.toml", "requirements-sandbox.txt", ["--group=sandbox", "--constraint=requirements.txt"]),
        ("pyproject.toml", "requirements-dev.txt", ["--group=dev", "--constraint=requirements.txt"]),
        (f"{real}/requirements-deepaas.in", f"{real}/requirements-deepaas.txt", []),
        (f"{real}/requirements-im.in", f"{real}/requirements-im.txt", [f"--override={real}/overrides-im.txt"]),
    ):
        command = [
            sys.executable,
            "-m",
            "uv",
            "pip",
            "compile",
            *COMMON,
            *extra,
            *sys.argv[1:],
            source,
            "-o",
            output,
        ]
        subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603 - fixed words and our own arguments


if __name__ == "__main__":
    main()
