"""Sentences in Python modules that no gettext call holds.

What is a sentence is a guess: a text with blanks between words, or a single word with a capital; where only texts for
people stand (labels, messages, the text of ``format_html``, what names are joined by) any word is one. What the guess
takes for one and nobody reads on a page is named with ``# not shown`` on its line.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from tools.translating import Finding

APPS = ("accounts", "catalog", "deepdash", "deployments")
# Read by curators, operators and programmers: in English. Facets are keywords as modules say them.
_LEFT_OUT = re.compile(
    r"/(tests|migrations|management|admin)/"
    r"|/(admin|apps|checks|doctor|testing|tasks|urls)\.py$"
    r"|^accounts/(discovery|iam|roles|tokens)\.py$"
    r"|^catalog/(refresh|sources|tosca|models)/|^catalog/(differences|facets|locks|markdown|revisions|webhook)\.py$"
    r"|^deepdash/(answers|cache|celery|config|design|embedded|glossary|guard|http|logs|metrics|middleware|queue|redact|settings"
    r"|staticfiles|views|wsgi)\.py$"
    r"|^deployments/clients/|^deployments/health\.py$"
)
_GETTEXT = re.compile(r"^_$|^n?p?gettext(_lazy|_noop)?$|^translated$")
# Their words are for logs and programmers.
_UNSHOWN_CALLS = {
    "Counted", "Timed", "Gauge", "ValueError", "TypeError", "RuntimeError", "KeyError", "LookupError", "AssertionError",
    "ImproperlyConfigured", "SuspiciousOperation", "NotImplementedError", "format_html", "compile", "getattr",
    "hasattr", "startswith", "endswith",
    "removeprefix", "TypeVar", "NewType", "strftime", "F", "Q", "Value", "search", "match", "sub", "split",
}  # fmt: skip
_LOGGERS = {"log", "logger", "logging"}
_SENTENCE = re.compile(r"[^\W\d_]{2,}([’'][^\W\d_]+)?[,;:.]? [^\W\d_]{2,}|^[“(]?[A-Z][a-z]{2,}[.…]?$|^[A-Z][a-z]+ ")
_MARKUP = re.compile(r"^<|^[a-z-]+=|; [a-z]+=|^(Referer|Authorization|Bearer )")
_KEPT = "# not shown"
# Places of people's words alone: one word is enough there.
_SPOKEN_KEYWORDS = {"label", "help_text", "empty_label", "error_messages", "verbose_name", "verbose_name_plural"}
_SPOKEN_KEYS = {"alt", "aria-label", "placeholder"}
_SPOKEN_CALLS = {"ValidationError", "format_html"}
_MESSAGES = {"debug", "info", "success", "warning", "error"}
_DATES = {"formatted", "date_format"}
_DAY = re.compile(r"[FMNbDljSAaPg]")  # what of a date's format differs by language
_WORD = re.compile(r"[^\W\d_]{2,}")
_MARKS = re.compile(r"<[^<>]*>|&\w+;|\{\w*\}|%\(\w+\)[sd]|https?://\S+")


def findings(root: Path) -> list[Finding]:
    """All of them, by file and line."""
    found = []
    for app in APPS:
        for path in sorted((root / app).rglob("*.py")):
            name = path.relative_to(root).as_posix()
            if not _LEFT_OUT.search(name):
                source = path.read_text(encoding="utf-8")
                found += [Finding(name, node.lineno, text) for node, text in unmarked(source)]
    return found


def unmarked(source: str) -> Iterator[tuple[ast.Constant | ast.JoinedStr, str]]:
    """Texts of a module that look as if people read them, and are not marked."""
    lines = source.splitlines()
    tree = ast.parse(source)
    said = set()
    for spoken in _spoken(tree):
        said.add(spoken)
        if not lines[spoken.lineno - 1].endswith(_KEPT):
            yield spoken, str(spoken.value)
    for node in _texts(tree):
        if node in said:
            continue
        text = _words(node)
        raw = lines[node.lineno - 1].encode()[node.col_offset :].startswith(b"r")  # a pattern
        kept = any(line.endswith(_KEPT) for line in lines[node.lineno - 1 : node.end_lineno])
        if _SENTENCE.search(text) and not (_MARKUP.search(text) or raw or kept):
            yield node, text


def _spoken(tree: ast.AST) -> Iterator[ast.Constant]:
    """Literals with words in them, at places where nothing but words for people stands; and formats of dates."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            yield from _literals(v for k, v in pairs if isinstance(k, ast.Constant) and k.value in _SPOKEN_KEYS)
        if not isinstance(node, ast.Call):
            continue
        name, owner = _name(node.func), node.func.value if isinstance(node.func, ast.Attribute) else None
        of = owner.id if isinstance(owner, ast.Name) else ""
        if of != "models":
            yield from _literals(keyword.value for keyword in node.keywords if keyword.arg in _SPOKEN_KEYWORDS)
        if name in _SPOKEN_CALLS:
            yield from _literals(node.args[:1])
        elif (of == "messages" and name in _MESSAGES) or name == "add_error":
            yield from _literals(node.args[1:2])
        elif name == "join" and owner:
            yield from _literals([owner])
        elif name in _DATES:
            yield from _literals(node.args[1:2], _DAY)


def _literals(nodes: Iterable[ast.expr], of: re.Pattern[str] = _WORD) -> Iterator[ast.Constant]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if of.search(_MARKS.sub(" ", node.value)):
                yield node
        elif isinstance(node, ast.Dict):
            yield from _literals(node.values)


def _words(node: ast.Constant | ast.JoinedStr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)


def _texts(node: ast.AST) -> Iterator[ast.Constant | ast.JoinedStr]:
    """String literals in the order of the source, without those whose place says that nobody is shown them."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield node
        return
    if isinstance(node, ast.JoinedStr):
        yield node
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                yield from _texts(part.value)
        return
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_unshown(node, name, child):
                yield from _texts(child)


def _is_unshown(parent: ast.AST, place: str, child: ast.AST) -> bool:
    match parent:
        case ast.Expr(value=ast.Constant()):  # docstrings
            return True
        case ast.Call():
            name = _name(parent.func)
            if _GETTEXT.match(name) or name in _UNSHOWN_CALLS:
                return place != "func"
            if isinstance(parent.func, ast.Attribute) and isinstance(parent.func.value, ast.Name):
                if parent.func.value.id in _LOGGERS:
                    return True
                # What models say of their columns stands in the administration.
                choices = isinstance(child, ast.keyword) and child.arg == "choices"
                return parent.func.value.id == "models" and place in {"args", "keywords"} and not choices
            return False
        case ast.Dict():
            return place == "keys"
        case ast.Subscript():
            return place == "slice"
        case ast.Compare():
            return True
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
        case ast.AnnAssign() | ast.arg():
            return place == "annotation"
        case ast.FunctionDef():
            return place in {"returns", "decorator_list"}
        case ast.MatchValue():
            return True
    return False


def _name(func: ast.expr) -> str:
    return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
