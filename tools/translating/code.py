"""Sentences in Python modules that no gettext call holds.

What is a sentence is a guess: a text with blanks between words, or a single word with a capital. What the guess takes
for one and nobody reads on a page is named with ``# not shown`` on its line.
"""

import ast
import re
from collections.abc import Iterator
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
    for node in _texts(ast.parse(source)):
        text = _words(node)
        raw = lines[node.lineno - 1].encode()[node.col_offset :].startswith(b"r")  # a pattern
        kept = any(line.endswith(_KEPT) for line in lines[node.lineno - 1 : node.end_lineno])
        if _SENTENCE.search(text) and not (_MARKUP.search(text) or raw or kept):
            yield node, text


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
                return parent.func.value.id == "models" and place in {"args", "keywords"}
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
