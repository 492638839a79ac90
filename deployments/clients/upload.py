"""A multipart body that is made while it is sent, so that a large file never stands in memory (RFC 7578)."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

CHUNK = 256 * 1024


@dataclass(frozen=True)
class Part:
    """A file for one argument. ``file`` can be read from its beginning, ``size`` is in bytes."""

    argument: str
    filename: str
    content_type: str
    file: IO[bytes]
    size: int


class Upload:
    """The body of one request. Its length is known beforehand, as DEEPaaS's server wants it."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._boundary = secrets.token_hex(16)
        self._parts = [(self._head(part), part) for part in parts]
        self._end = f"--{self._boundary}--\r\n".encode()

    @property
    def content_type(self) -> str:
        return f"multipart/form-data; boundary={self._boundary}"

    @property
    def files(self) -> list[tuple[str, str]]:
        """(argument, file name) of each part."""
        return [(part.argument, part.filename) for _, part in self._parts]

    def __len__(self) -> int:
        return sum(len(head) + part.size + 2 for head, part in self._parts) + len(self._end)

    def __iter__(self) -> Iterator[bytes]:
        for head, part in self._parts:
            yield head
            part.file.seek(0)
            while chunk := part.file.read(CHUNK):
                yield chunk
            yield b"\r\n"
        yield self._end

    def _head(self, part: Part) -> bytes:
        lines = (
            f"--{self._boundary}",
            f'Content-Disposition: form-data; name="{_quoted(part.argument)}"; filename="{_quoted(part.filename)}"',
            f"Content-Type: {_one_line(part.content_type) or 'application/octet-stream'}",
        )
        return "".join(f"{line}\r\n" for line in (*lines, "")).encode()


def _one_line(text: str) -> str:
    return "".join(character for character in text if character.isprintable())


def _quoted(text: str) -> str:
    """As browsers write names: what would end the quotes is percent-encoded (HTML, multipart/form-data)."""
    return _one_line(text).replace('"', "%22")
