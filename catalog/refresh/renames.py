"""What changed its name upstream, and perhaps its text in the same push: told by what the two have in common."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TypeVar

from catalog.models import Module, Template

Old = TypeVar("Old")
New = TypeVar("New")

# Shares of a text. Templates of one family are alike by nature: of the public ones, different files have up to 0.91 in
# common, so that another name asks for more than another folder, and a copy of what is still there is no rename.
SAME_NAME, OTHER_NAME, MODULE = 0.5, 0.7, 0.7
MAX_COMPARED = 200  # texts on either side; more at once is another repository, not a rename


def likeness(one: str, other: str) -> float:
    """How much of the longer of two texts stands in both, line by line wherever it stands: 0 to 1, as git has it."""
    first, second = _lines(one), _lines(other)
    larger = max(_size(first), _size(second))
    return _size(first & second) / larger if larger else 0.0


def pairs(gone: Mapping[Old, str], new: Mapping[New, str]) -> list[tuple[float, Old, New]]:
    """Each gone and each new text at most once, the most alike first; what could as well be another is left out."""
    if len(gone) > MAX_COMPARED or len(new) > MAX_COMPARED:
        return []
    scores = sorted(
        ((likeness(before, after), old, fresh) for old, before in gone.items() for fresh, after in new.items()),
        key=lambda entry: -entry[0],
    )
    found: list[tuple[float, Old, New]] = []
    olds, fresh_ones = set(gone), set(new)
    for score, old, fresh in scores:
        if old not in olds or fresh not in fresh_ones:
            continue
        rivals = [
            s for s, o, f in scores if s == score and (o == old) != (f == fresh) and o in olds and f in fresh_ones
        ]
        olds.discard(old)
        fresh_ones.discard(fresh)
        if not rivals:
            found.append((score, old, fresh))
    return found


def renamed_templates(gone: Iterable[Template], new: Mapping[str, str], staying: Iterable[int]) -> dict[str, Template]:
    """New path → the template that stood elsewhere before; ``new`` are texts by path, ``staying`` primary keys of
    templates that are still in their places."""
    by_pk = {template.pk: template for template in gone}
    if not by_pk or not new:
        return {}
    texts = dict(Template.objects.filter(pk__in=by_pk).values_list("pk", "raw"))
    likely = {}
    for score, pk, path in pairs(texts, new):
        same_name = by_pk[pk].filename == path.rpartition("/")[2]
        if score >= (SAME_NAME if same_name else OTHER_NAME):
            likely[path] = score, pk, same_name
    if any(not same_name for _, _, same_name in likely.values()):
        others = list(Template.objects.filter(pk__in=list(staying)).values_list("raw", flat=True))
        likely = {
            path: (score, pk, same_name)
            for path, (score, pk, same_name) in likely.items()
            if same_name or not any(likeness(text, new[path]) > score for text in others)
        }
    return {path: by_pk[pk] for path, (_, pk, _) in likely.items()}


def successors(gone: Iterable[Module], new: Iterable[Module]) -> dict[int, Module]:
    """Primary key of a withdrawn module → the new one that it was renamed to.

    They have their metadata, image, code or title in common, which no third module of the catalogue has, or else most
    of the metadata's text.
    """
    left, fresh = {module.pk: module for module in gone}, {module.pk: module for module in new}
    found: dict[int, Module] = {}
    for name in ("metadata_digest", "docker_image", "code_url", "title"):
        for pk, module in list(left.items()):
            value = getattr(module, name)
            if not value:
                continue
            present = Module.objects.filter(**{name: value}).exclude(state=Module.State.GONE)
            others = set(present.values_list("pk", flat=True)) - {pk}
            if len(others) == 1 and others <= set(fresh):
                found[pk] = fresh.pop(others.pop())
                del left[pk]
    texts = {pk: _words(module) for pk, module in left.items()}
    for score, pk, heir in pairs(texts, {pk: _words(module) for pk, module in fresh.items()}):
        if score >= MODULE:
            found[pk] = fresh[heir]
    return found


def _words(module: Module) -> str:
    """What upstream tells of a module in its own words; keywords and licences are alike by nature."""
    return "\n".join([module.title, module.summary, module.description_md])


def _lines(text: str) -> Counter[str]:
    return Counter(line.strip() for line in text.splitlines() if line.strip())


def _size(lines: Counter[str]) -> int:
    return sum(len(line) * count for line, count in lines.items())
