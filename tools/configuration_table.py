"""Write the table of configuration keys into docs/configuration.md, from the fields of ``deepdash.config.Config``.

With ``--check`` nothing is written; exit status 1 says that the table is out of date.
"""

import sys
from pathlib import Path

from pydantic import SecretStr
from pydantic.fields import FieldInfo

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
BEGIN, END = "<!-- configuration -->\n", "<!-- end of configuration -->"


def default_of(field: FieldInfo) -> str:
    """The default as a reader of the table wants it; secrets and empty ones stay blank."""
    value = field.default
    if isinstance(value, SecretStr) or value in ("", [], {}, 0):
        return ""
    if isinstance(value, bool):
        return "`yes`" if value else "`no`"
    if isinstance(value, dict):
        return ", ".join(f"`{name}`: `{file}`" for name, file in value.items())
    return ", ".join(f"`{item}`" for item in value) if isinstance(value, list) else f"`{value}`"


def table() -> str:
    from deepdash.config import Config

    rows = [f"| `{name}` | {field.description} | {default_of(field)} |" for name, field in Config.model_fields.items()]
    return "\n".join(["| key | what it is | default |", "| --- | --- | --- |", *rows]) + "\n"


def main() -> int:
    path = ROOT / "docs" / "configuration.md"
    text = path.read_text(encoding="utf-8")
    head, rest = text.split(BEGIN)
    _, tail = rest.split(END)
    wanted = f"{head}{BEGIN}{table()}{END}{tail}"
    if "--check" in sys.argv[1:]:
        if text != wanted:
            print(f"docs/{path.name} is out of date: run python tools/{Path(__file__).name}", file=sys.stderr)
        return int(text != wanted)
    path.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
