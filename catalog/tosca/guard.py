"""Refuses YAML that could hurt whoever loads it, by looking at the parser's events before anything is built.

The event stream does not recurse and can be left at any point, so each refusal costs milliseconds whatever the
text promises (deep nesting that ends the process, alias and merge-key bombs, object tags). The limits are at least
ten times what the largest public template or type file needs in size and twice in events and depth; none of
them uses an anchor, a tag, a merge key or a second document.
"""

import yaml

MAX_BYTES = 256 * 1024
MAX_EVENTS = 20_000
MAX_DEPTH = 40
# libyaml does the same work ten times faster; both refuse the same things here.
EventLoader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Refused(Exception):
    """The text is not taken; the message says why in words for its author."""


def check_yaml(text: str) -> None:
    """Return if the text is one plain YAML document of bounded size and depth. Raises Refused otherwise."""
    size = len(text.encode("utf-8", errors="surrogatepass"))
    if size > MAX_BYTES:
        raise Refused(f"It has {size // 1024} KiB; at most {MAX_BYTES // 1024} KiB are read.")
    try:
        _check_events(text)
    except yaml.YAMLError as error:
        raise Refused(f"It is not YAML: {explain(error)}") from None
    except (UnicodeError, ValueError) as error:
        raise Refused(f"It is not text that YAML allows: {error}") from None


def explain(error: yaml.YAMLError) -> str:
    """What a YAML error says, with line and column, without the name of a stream."""
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark
        place = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        return f"{error.problem or error.context or 'syntax error'}{place}"
    return " ".join(str(getattr(error, "reason", "") or error).split())


def _check_events(text: str) -> None:
    depth = documents = 0
    for number, event in enumerate(yaml.parse(text, Loader=EventLoader)):
        if number > MAX_EVENTS:
            raise Refused(f"It has more than {MAX_EVENTS} parts.")
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise Refused(f"It holds a second document{_at(event)}.")
        elif isinstance(event, yaml.AliasEvent):
            raise Refused(f"Aliases are not taken (*{event.anchor}{_at(event)}).")
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            depth += 1
            if depth > MAX_DEPTH:
                raise Refused(f"It is nested more than {MAX_DEPTH} levels deep{_at(event)}.")
            _check_node(event)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            depth -= 1
        elif isinstance(event, yaml.ScalarEvent):
            _check_node(event)
            if event.value == "<<" and event.implicit[0]:
                raise Refused(f"Merge keys (<<) are not taken{_at(event)}.")
            if "\0" in event.value:
                raise Refused(f"A text holds a NUL character{_at(event)}.")


def _check_node(event: yaml.NodeEvent) -> None:
    if event.anchor:
        raise Refused(f"Anchors are not taken (&{event.anchor}{_at(event)}).")
    tag = getattr(event, "tag", None)
    if tag:
        raise Refused(f"Tags are not taken ({str(tag)[:80]}{_at(event)}).")


def _at(event: yaml.Event) -> str:
    mark = event.start_mark
    return f" in line {mark.line + 1}" if mark else ""
