"""Words in templates that no translate tag holds: in the text, in attributes people read, in arguments of tags."""

import html
import re
from collections.abc import Iterator
from pathlib import Path

from django.template.base import DebugLexer, Token, TokenType

from tools.translating import Finding

LEFT_OUT = ("templates/admin/", "templates/catalog/admin/", "templates/design.html")  # English, for staff
# Elements whose text is no language: code and what is typed.
_VERBATIM = {"code", "pre", "kbd", "script", "style"}
_SPOKEN = ("aria-label", "aria-description", "aria-valuetext", "alt", "data-busy", "data-label", "label", "placeholder",
           "title")  # fmt: skip
# Names, which are the same in all languages.
NAMES = {
    "CPU", "CPUs", "CSV", "DEEPaaS", "Docker", "GPU", "GPUs", "IAM", "JSON", "JupyterLab", "MB", "GB", "UTC", "URL",
    "WebDAV", "YAML", "curl", "deepdash", "json", "metadata", "min", "px",
}  # fmt: skip
# Attributes that a script or a browser says, where they hold prose; and buttons, whose words are their value.
_PERHAPS_SPOKEN = re.compile(
    r"""(?<![\w-])(data-(?!filter)[\w-]+|aria-(?:placeholder|roledescription)|hx-(?:confirm|prompt))=("[^"]*"|'[^']*')"""
)
_PUSHED = re.compile(r"""type=["']?(?:submit|button|reset)\b""")
_PUSH = re.compile(r"""(?<![\w-])(value)=("[^"]*"|'[^']*')""")
_TAG = re.compile(r"""<(/?)(!?[a-zA-Z][\w-]*)((?:[^"'>]|"[^"]*"|'[^']*')*)>""")
_ATTRIBUTE = re.compile(rf"""(?<![\w-])({"|".join(_SPOKEN)})=("[^"]*"|'[^']*')""")
_UNREAD = re.compile(rf"""((?<![\w-])(?!(?:{"|".join(_SPOKEN)})=)[\w-]+=["'])""")
_WORD = re.compile(r"[^\W\d_]{2,}")
_DEFAULT = re.compile(
    r"""\|(?:default|default_if_none|yesno|pluralize|join|stringformat|add(?=:["'][\w ])):("[^"]*"|'[^']*')"""
    r"""|\|(pluralize)\b"""
)
_DAY = re.compile(
    r"""\|(?:date|time):(?:"[^"]*[FMNbDljSAaPgE][^"]*"|'[^']*[FMNbDljSAaPgE][^']*')"""
)  # differs by language
_SAID = re.compile(r"""\b(?:label|title|text|what|heading|hint)=("[^"]*"|'[^']*')""")
_LITERAL = re.compile(r"""(?<![(\w=])(?:[\w]+=)?("[^"]*"|'[^']*')""")
_PROSE = re.compile(r"[A-Z][a-z]+|[a-z] [a-z]")
# Tags whose literals are shown; of others (url, static, if ...) they are names.
_SHOWING = {"include", "pill", "with", "firstof", "cycle"}
HOLE, DONE = "\ue000", "\ue001"  # stand where template tags and translated texts are


def findings(root: Path) -> list[Finding]:
    """All of them, by file and line."""
    found = []
    for path in sorted((root / "templates").rglob("*.html")):
        name = path.relative_to(root).as_posix()
        if not name.startswith(LEFT_OUT):
            found += [Finding(name, line, text) for line, text in untranslated(path.read_text(encoding="utf-8"))]
    return found


def untranslated(source: str) -> list[tuple[int, str]]:
    """(line, text) of what a template shows and does not translate."""
    tokens = list(DebugLexer(source).tokenize())
    shown = blanked(tokens)
    unread = {tag.start(3) + at.end(1) for tag in _TAG.finditer(shown) for at in _UNREAD.finditer(tag[3])}
    found = [*_texts(shown), *_attributes(shown), *(at for at in _arguments(tokens) if at[0] not in unread)]
    return [(source.count("\n", 0, at) + 1, text) for at, text in sorted(found)]


def blanked(tokens: list[Token]) -> str:
    """The source with everything of the template language blanked out, each character at its place."""
    parts: list[str] = []
    inside = ""  # the tag that is awaited: all up to it is translated, or is a comment
    for token in tokens:
        start, end = token.position or (0, 0)
        words = token.contents.split() if token.token_type == TokenType.BLOCK else []
        tag = words[0] if words else ""
        if inside:
            parts.append(DONE * (end - start))
            inside = "" if tag == inside else inside
        elif tag in {"blocktranslate", "blocktrans", "comment"}:
            parts.append(DONE * (end - start))
            inside = f"end{tag}"
        elif tag in {"translate", "trans"}:
            parts.append(DONE * (end - start))
        elif words[:2] == ["block", "wrap_class"]:  # names of CSS
            parts.append(HOLE * (end - start))
            inside = "endblock"
        elif token.token_type == TokenType.TEXT:
            parts.append(token.contents)
        else:
            parts.append(HOLE * (end - start))
    return "".join(parts)


def _texts(shown: str) -> Iterator[tuple[int, str]]:
    """Between the tags of the page."""
    verbatim, at = 0, 0
    for tag in [*_TAG.finditer(shown), None]:
        text = shown[at : tag.start() if tag else len(shown)]
        if not verbatim and _has_words(text):
            yield at + len(text) - len(text.lstrip()), _readable(text)
        if tag is None:
            return
        at = tag.end()
        if tag[2].lower() in _VERBATIM or 'translate="no"' in tag[3]:
            verbatim += -1 if tag[1] else 1
            verbatim = max(verbatim, 0)


def _attributes(shown: str) -> Iterator[tuple[int, str]]:
    for tag in _TAG.finditer(shown):
        for attribute in _ATTRIBUTE.finditer(tag[3]):
            if _has_words(attribute[2]):
                yield tag.start(3) + attribute.start(), f"{attribute[1]}={_readable(attribute[2])}"
        pushed = _PUSH.finditer(tag[3]) if tag[2].lower() == "input" and _PUSHED.search(tag[3]) else ()
        for attribute in (*_PERHAPS_SPOKEN.finditer(tag[3]), *pushed):
            if attribute[1] not in _SPOKEN and _PROSE.search(attribute[2]) and _has_words(attribute[2]):
                yield tag.start(3) + attribute.start(), f"{attribute[1]}={_readable(attribute[2])}"


def _arguments(tokens: list[Token]) -> Iterator[tuple[int, str]]:
    """Literals in tags and filters that end up on the page: ``_("...")`` marks them there."""
    inside = ""
    for token in tokens:
        tag = token.contents.split()[0] if token.token_type == TokenType.BLOCK else ""
        if inside:
            inside = "" if tag == inside else inside
            continue
        if tag == "comment":
            inside = "endcomment"
        if token.token_type not in {TokenType.VAR, TokenType.BLOCK}:
            continue
        at = (token.position or (0, 0))[0]
        for match in _DEFAULT.finditer(token.contents):
            if match[2] or _has_words(match[1]):
                yield at, token.contents
        if _DAY.search(token.contents):
            yield at, token.contents
        if tag not in _SHOWING:
            yield from ((at, token.contents) for said in _SAID.finditer(token.contents) if _PROSE.search(said[1]))
        else:
            rest = token.contents.split(None, 2 if tag == "include" else 1)[-1]
            for literal in _LITERAL.finditer(rest):
                if _PROSE.search(literal[1]) and not literal[1][1:-1].endswith(".html"):
                    yield at, token.contents


def _has_words(text: str) -> bool:
    return any(word not in NAMES for word in _WORD.findall(html.unescape(re.sub(r"&\w+;", " ", text))))


def _readable(text: str) -> str:
    return re.sub(f"[{HOLE}{DONE}]+", "…", " ".join(text.split()))
