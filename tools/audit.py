"""Is what is installed exactly what is pinned? Works without network.

Every distribution of the environment must stand in one of the lists given (default: requirements-dev.txt), with that
very version; every pin must carry hashes; the files of each must be those its own record lists (nothing was changed
after the installation); and the packages must fit together (``pip check``). Exit status 1 says no.
"""

import base64
import hashlib
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = {"pip", "setuptools", "wheel"}  # brought by the environment itself
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(path: Path) -> dict[str, tuple[str, bool]]:
    """Name → version, and whether hashes stand beside it."""
    text = path.read_text(encoding="utf-8")
    found = list(_PIN.finditer(text))
    ends = [*(match.start() for match in found[1:]), len(text)]
    return {
        canonical(match[1]): (match[2], "--hash=sha256:" in text[match.end() : end])
        for match, end in zip(found, ends, strict=True)
    }


def complaints(lists: list[Path]) -> Iterator[str]:
    pinned = {name: pin for path in lists for name, pin in pins(path).items()}
    yield from (f"{name} is pinned without hashes" for name, (_, hashed) in pinned.items() if not hashed)
    for found in metadata.distributions():
        name = canonical(found.metadata["Name"])
        if name in TOOLS:
            continue
        if name not in pinned:
            yield f"{name} {found.version} is installed, but not pinned"
        elif pinned[name][0] != found.version:
            yield f"{name} {found.version} is installed, pinned is {pinned[name][0]}"
        yield from (f"{name}: {path} was changed after it was installed" for path in changed(found))
    done = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True)
    if done.returncode:
        yield from done.stdout.splitlines()


def changed(found: metadata.Distribution) -> Iterator[str]:
    """Files that are not as the record of the installation says."""
    for file in found.files or []:
        path = Path(str(file.locate()))
        if file.hash is None or file.hash.mode != "sha256" or path.suffix == ".pyc":
            continue
        if not path.is_file():
            yield f"{file} (gone)"
        elif (
            base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).rstrip(b"=").decode()
            != file.hash.value
        ):
            yield str(file)


def main() -> int:
    lists = [ROOT / name for name in sys.argv[1:] or ["requirements-dev.txt"]]
    found = list(complaints(lists))
    print("\n".join(found) or f"{len(list(metadata.distributions()))} packages are exactly as pinned.")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
