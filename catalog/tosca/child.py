"""Runs tosca-parser in a process of its own: it is not thread-safe, and can hang or crash on odd input.

Reads one JSON object per line ({"template": text, "types": {address: text}}), answers one per line ({"verdict",
"errors"}). Started by ``verdict.Checker``, which ends it when a check takes too long.
"""

import hashlib
import json
import resource
import socket
import sys
from types import ModuleType
from typing import Any, NoReturn

from catalog.tosca.guard import Refused
from catalog.tosca.loader import load_template
from catalog.tosca.types import closure, import_urls, load_types, with_types

MEMORY = 1024 * 1024 * 1024  # address space in bytes; an honest template needs about 40 MiB in memory
MAX_ERRORS, MAX_CHARS = 50, 400

_loaded_types: dict[str, dict[str, Any]] = {}


def check(request: dict[str, Any]) -> dict[str, Any]:
    """The verdict on one template. Never raises."""
    try:
        template = load_template(request["template"])
        known = {url: _types(text) for url, text in request["types"].items()}
    except Refused as error:
        return {"verdict": "unreadable", "errors": [str(error)]}
    _, missing = closure(import_urls(template), known)
    if missing:
        return {"verdict": "parser_failed", "errors": [f"Its types can't be read: {url}" for url in missing]}
    return _ask_parser(with_types(template, known))


def _ask_parser(template: dict[str, Any]) -> dict[str, Any]:
    from toscaparser.common.exception import ExceptionCollector, ValidationError
    from toscaparser.tosca_template import ToscaTemplate

    try:
        ToscaTemplate(yaml_dict_tpl=template)
    except ValidationError:
        # Its own text holds paths of this server; the collected errors do not.
        return {"verdict": "invalid", "errors": _texts(ExceptionCollector.getExceptions())}
    except Exception as error:
        return {"verdict": "parser_failed", "errors": _texts([error])}
    return {"verdict": "valid", "errors": []}


def _types(text: str) -> dict[str, Any]:
    digest = hashlib.sha256(text.encode()).hexdigest()
    if digest not in _loaded_types:
        _loaded_types[digest] = load_types(text)
    return _loaded_types[digest]


def _texts(errors: list[Exception]) -> list[str]:
    texts = dict.fromkeys(f"{type(error).__name__}: {error}"[:MAX_CHARS] for error in errors)
    return list(texts)[:MAX_ERRORS]


def _no_network(*args: Any, **kwargs: Any) -> NoReturn:
    raise OSError("tosca-parser may not use the network")


def main() -> None:
    """Answer until the input ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    # tosca-parser imports it to fetch archives from addresses, which it is never given; a third of the time to start.
    sys.modules.setdefault("requests", ModuleType("requests"))
    import toscaparser.tosca_template  # noqa: F401  (slow; before the clock of the first check runs)

    # Belt and braces: the merged dictionary gives it no reason to look anywhere.
    socket.socket.connect = socket.create_connection = _no_network  # type: ignore[method-assign]
    answers, sys.stdout = sys.stdout, sys.stderr  # whatever a library prints must not mix with answers
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        try:
            answer = check(json.loads(line))
        except MemoryError:
            answer = {"verdict": "parser_failed", "errors": ["It needs too much memory."]}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
