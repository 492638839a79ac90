"""Text from outside, made harmless to look at: nothing in it steers a terminal or turns a line around.

HTML is not its matter (templates escape); this is about what escaping leaves in place.
"""

import re

# Commands to terminals: CSI (colours, cursor), OSC (titles, links), and the short ones (ECMA-48).
_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)|\x1b[ -/]*[0-~]", re.DOTALL)
# Controls but tab and newline, the marks of bidirectional text that make words seem to stand elsewhere, and halves of
# characters (JSON may hold them), which neither a page nor a database can be written with.
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufff9-\ufffb]"
)
_ANY_BREAK = re.compile("\r\n?|\x85|\u2028|\u2029")


def inert(text: str) -> str:
    """The text without terminal commands, control characters, bidi marks and surrogates; all breaks are ``\\n``."""
    return _CONTROL.sub("", _ANY_BREAK.sub("\n", _ANSI.sub("", text)))


def visible(text: str) -> str:
    """The text with each of those written out (``\\u202e``): for who has to see what a file really holds."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", _ANY_BREAK.sub("\n", text))


def one_line(text: str) -> str:
    """As ``inert``, on one line: breaks are shown as ``\\n``."""
    return inert(text).replace("\n", "\\n")
