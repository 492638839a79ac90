"""A log as people read it: numbered lines, those that tell of trouble marked, narrowed to what is searched for."""

import re
from dataclasses import dataclass

MAX_LINES = 10_000  # on a page, the last ones; the download has them all
Q_CHARS = 200
# Words of trouble as Ansible, Python and shells write them, but not the "failed=0" of a recap or "no errors".
_TROUBLE = re.compile(
    r"(?i)(?<!\bno )(?<!\b0 )\b(?:fatal|errors?|exception|traceback|critical|failed|unreachable)\b(?!\s*[=:]\s*0\b)"
)


@dataclass(frozen=True)
class Line:
    """``parts`` are the pieces of its text, each with whether it is what was searched for."""

    number: int
    parts: list[tuple[str, bool]]
    is_error: bool


@dataclass(frozen=True)
class LogLines:
    """The lines to show. ``total``, ``errors`` and ``first_error`` (a number, 0 for none) tell of the whole log."""

    q: str
    lines: list[Line]
    found: int
    total: int
    errors: int
    first_error: int

    @property
    def left_out(self) -> int:
        """How many fitting lines are before those shown."""
        return self.found - len(self.lines)


def log_lines(text: str, q: str = "") -> LogLines:
    """The lines of a log; with ``q`` those that have it, whatever its case."""
    q = q.replace("\0", "").strip()[:Q_CHARS]
    every = text.removesuffix("\n").split("\n") if text else []
    errors = [number for number, line in enumerate(every, 1) if _TROUBLE.search(line)]
    wanted = re.compile(f"({re.escape(q)})", re.IGNORECASE) if q else None
    fitting = [(n, line) for n, line in enumerate(every, 1) if wanted is None or wanted.search(line)]
    troubled = set(errors)
    lines = [Line(n, _parts(line, wanted), n in troubled) for n, line in fitting[-MAX_LINES:]]
    return LogLines(q, lines, len(fitting), len(every), len(errors), errors[0] if errors else 0)


def _parts(line: str, wanted: "re.Pattern[str] | None") -> list[tuple[str, bool]]:
    if wanted is None:
        return [(line, False)]
    # With one group in the pattern, split gives what is between and what was found in turn.
    return [(piece, index % 2 == 1) for index, piece in enumerate(wanted.split(line)) if piece]
