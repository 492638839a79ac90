"""Keys written twice in one mapping: YAML forbids it, loaders keep the last in silence, authors want to know."""

import yaml

from catalog.tosca.guard import EventLoader

MAX_NOTES = 10


def duplicate_keys(text: str) -> list[str]:
    """One sentence for each key that a mapping holds twice; ``text`` has passed ``guard.check_yaml``."""
    notes: list[str] = []
    # One entry per open collection: its keys, or None for a list; and whether a mapping's next node is a key.
    open_: list[tuple[set[str] | None, list[bool]]] = []
    for event in yaml.parse(text, Loader=EventLoader):
        if isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            open_.pop()
        if isinstance(event, yaml.NodeEvent) and open_:
            keys, turn = open_[-1]
            if keys is not None:
                if turn[0] and isinstance(event, yaml.ScalarEvent):
                    if event.value in keys and len(notes) < MAX_NOTES:
                        mark = event.start_mark
                        line = f" (line {mark.line + 1})" if mark else ""
                        notes.append(f"The key “{event.value[:80]}” is written twice{line}; the last one counts.")
                    keys.add(event.value)
                turn[0] = not turn[0]
        if isinstance(event, yaml.MappingStartEvent):
            open_.append((set(), [True]))
        elif isinstance(event, yaml.SequenceStartEvent):
            open_.append((None, [False]))
    return notes
