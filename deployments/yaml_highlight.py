"""YAML for the eye: pieces of text with what they are, line by line. It judges nothing; a wrong guess is a colour."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_CHARS = 200_000  # what is longer is shown plain: tens of thousands of pieces are slow to draw
MAX_LINE = 500  # a longer line is plain too: open quotes in it would be looked for again and again

_INDENT = re.compile(r"\s*(?:- +)*")
_KEY = re.compile(
    r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s#"'{}\[\],&*!|>%@:-][^:#]*|-[^\s:][^:#]*)"""
    r"""(?=\s*:(?:\s|$))"""
)
_BLOCK = re.compile(r"(?:^|\s)[|>][+-]?\d?[+-]?\s*(?:#.*)?$")
_PIECES = re.compile(
    r"""(?P<comment>(?:(?<=\s)|^)\#.*)"""
    r"""|(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')"""
    r"""|(?P<mark>(?:(?<=[\s,\[{])|^)[&*!][\w!:/.-]+)"""
    r"""|(?P<literal>(?:(?<=[\s,\[{])|^)(?:true|false|null|~|[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?=\s*(?:$|[,\]}]|\s\#)))"""
)


@dataclass(frozen=True)
class Piece:
    """``kind``: key, comment, string, literal (number, truth, null), mark (tag, anchor, alias) or "" for text."""

    kind: str
    text: str


def yaml_pieces(text: str) -> list[Piece]:
    """The text in pieces, which joined are the text again. More than MAX_CHARS is one piece of plain text."""
    if len(text) > MAX_CHARS:
        return [Piece("", text)]
    pieces: list[Piece] = []
    block: int | None = None  # the indentation of the line whose value is the block of text we are in
    for line in text.splitlines(keepends=True):
        if len(line) > MAX_LINE:
            pieces.append(Piece("", line))
            continue
        body = line.rstrip("\r\n")
        indent = len(body) - len(body.lstrip(" "))
        if block is not None and (not body.strip() or indent > block):
            pieces.append(Piece("string", line))
            continue
        block = indent if _BLOCK.search(body) and not body.lstrip().startswith("#") else None
        pieces += _line(body)
        pieces.append(Piece("", line[len(body) :]))
    return _joined(pieces)


def _line(body: str) -> Iterator[Piece]:
    start = _INDENT.match(body)
    at = start.end() if start else 0
    yield Piece("", body[:at])
    key = _KEY.match(body, at)
    if key:
        yield Piece("key", key[0])
        at = key.end()
    for found in _PIECES.finditer(body, at):
        yield Piece("", body[at : found.start()])
        yield Piece(found.lastgroup or "", found[0])
        at = found.end()
    yield Piece("", body[at:])


def _joined(pieces: list[Piece]) -> list[Piece]:
    """Without the empty ones, neighbours of one kind together."""
    joined: list[Piece] = []
    for piece in pieces:
        if joined and joined[-1].kind == piece.kind:
            joined[-1] = Piece(piece.kind, joined[-1].text + piece.text)
        elif piece.text:
            joined.append(piece)
    return joined
