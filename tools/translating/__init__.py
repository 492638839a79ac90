"""The parts of ``tools/untranslated.py``: templates, Python code, catalogues."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """``path`` is relative to the repository, ``text`` what is not translated or why it is wrong."""

    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"
