"""The few HTML pages of the sandbox. They need no script; every value is escaped where it is put in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from html import escape

from sandbox.people import PEOPLE, Person
from sandbox.storage import APP_PASSWORD

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2733; --soft: #5b6878; --paper: #f4f6f8; --card: #fff;
  --line: #d5dce3; --accent: #0b6b63; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebf0; --soft: #a3b0bf; --paper: #12171d;
  --card: #1b222b; --line: #36414e; --accent: #57c7bb; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 2rem 1rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 44rem; margin: 0 auto; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p { margin: 0 0 1rem; }
small, .soft { color: var(--soft); font-size: .875rem; }
a { color: var(--accent); }
code { overflow-wrap: anywhere; }
.people { list-style: none; margin: 1.5rem 0; padding: 0; display: grid; gap: .5rem; }
button { font: inherit; color: inherit; cursor: pointer; border: 1px solid var(--line); border-radius: .5rem;
  background: var(--card); padding: .75rem 1rem; }
.people button { width: 100%; text-align: start; }
button:hover { border-color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
button strong, button small { display: block; }
table { border-collapse: collapse; width: 100%; background: var(--card); font-size: .9375rem; }
th, td { border: 1px solid var(--line); padding: .4rem .6rem; text-align: start; vertical-align: top; }
"""

_MARK = "This identity provider is a stand-in for trying things out. Nobody here is real, no password exists."


def page(title: str, body: str) -> str:
    """Return a whole document; ``title`` is text, ``body`` is HTML."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n<h1>{escape(title)}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    )


def picker(action: str, parameters: Mapping[str, str], client: str | None, note: str | None = None) -> str:
    """Return the page on which a person is chosen.

    ``parameters`` are sent along unchanged; the choice comes as ``person``, a refusal as ``deny``.
    ``client`` is who asks; without one it is a plain log-in that cannot be refused.
    """
    hidden = "\n".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in parameters.items()
    )
    people = "\n".join(
        f'<li><button name="person" value="{escape(person.key)}"><strong>{escape(person.name)}</strong>'
        f"<small>{escape(_about(person))}</small></button></li>"
        for person in PEOPLE
    )
    asks = f"<p><strong>{escape(client)}</strong> asks who you are. Choose a person.</p>" if client else ""
    deny = '<button name="deny" value="1">Deny access</button>' if client else ""
    return page(
        "Sign in to the sandbox",
        f'{f"<p role=status>{escape(note)}</p>" if note else ""}{asks}\n<p class="soft">{_MARK}</p>\n'
        f'<form method="post" action="{escape(action)}">\n{hidden}\n<ul class="people">\n{people}\n</ul>\n'
        f"{deny}\n</form>",
    )


def message(title: str, text: str) -> str:
    """Return a page that only says something."""
    return page(title, f'<p>{escape(text)}</p>\n<p class="soft">{_MARK}</p>')


def home(
    base_url: str,
    dashboard: str,
    services: Iterable[tuple[str, str]],
    calls: Mapping[str, int],
    faulty: Iterable[str],
    figures: Mapping[str, Mapping[str, object]],
) -> str:
    """Return the front page; ``services`` are (name, prefix), ``figures`` what each part says of itself."""
    broken = set(faulty)
    rows = "\n".join(
        f"<tr><th scope=row>{escape(name)}</th><td><code>{escape(base_url + prefix)}</code></td>"
        f"<td>{'fault set' if {name, '*'} & broken else 'answers'}</td><td>{calls.get(name, 0)}</td></tr>"
        for name, prefix in services
    )
    people = "\n".join(
        f"<tr><th scope=row>{escape(person.name)}</th><td>{escape(person.role)}</td>"
        f"<td>{escape(person.organisation)}</td><td>{escape(', '.join(person.groups) or 'none')}</td></tr>"
        for person in PEOPLE
    )
    facts = "\n".join(
        f"<li>{escape(name)}: {escape(', '.join(_figures(values)))}</li>" for name, values in figures.items() if values
    )
    return page(
        "A cloud in a box",
        "<p>Stand-ins of the services the training dashboard works with: identity provider, orchestrator, "
        "provider registries, monitoring, storage, GitHub and Docker Hub. Nothing leaves this computer.</p>\n"
        f'<p><a href="{escape(dashboard)}">Open the dashboard</a></p>\n'
        "<h2>People you can sign in as</h2>\n<table><thead><tr><th>Name</th><th>Role</th>"
        f"<th>Organisation</th><th>Groups</th></tr></thead><tbody>\n{people}\n</tbody></table>\n"
        "<h2>Services</h2>\n<table><thead><tr><th>Service</th><th>Address</th><th>State</th>"
        f"<th>Calls</th></tr></thead><tbody>\n{rows}\n</tbody></table>\n"
        "<p>The storage is WebDAV, a folder per person: <code>/storage/remote.php/dav/files/ada/</code>, user "
        f"<code>ada</code>, password <code>{APP_PASSWORD}ada</code>, and so on.</p>\n"
        f"<h2>State</h2>\n<ul>\n{facts}\n</ul>\n"
        '<p><a href="/control/">Control API</a> for faults, tokens, deployments, catalogue, webhooks.</p>',
    )


def _figures(values: Mapping[str, object]) -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _figures(value)
        else:
            yield f"{name.replace('_', ' ')} {value}"


def _about(person: Person) -> str:
    groups = ", ".join(person.groups) or "no groups"
    return f"{person.role} · {person.organisation} · {groups}"
