"""The index in memory says at any time what the database would, and asks it little."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog import index
from catalog.index import current_index
from catalog.models import Module, ModuleFacet, RefreshRun
from catalog.testing import make_module

pytestmark = pytest.mark.django_db


def found(words: str = "", sort: str = "", **chosen: list[str]) -> list[str]:
    pks = current_index().find(words, chosen, sort).pks
    slugs = dict(Module.objects.values_list("pk", "slug"))
    return [slugs[pk] for pk in pks]


def counts(words: str = "", **chosen: list[str]) -> dict[str, int]:
    return {value.value: count for value, count in current_index().find(words, chosen, "").counts}


def test_modules_are_sorted_as_asked_and_those_without_a_date_come_last() -> None:
    make_module("a", title="B", created_on=date(2020, 1, 1), position=5)
    make_module("b", title="A", created_on=None, featured=True, pushed_at=datetime(2024, 1, 1, tzinfo=UTC))
    make_module("c", title="c", created_on=date(2022, 1, 1), position=4, pushed_at=datetime(2023, 1, 1, tzinfo=UTC))
    assert found() == ["b", "c", "a"]
    assert found(sort="title") == ["b", "a", "c"]
    assert found(sort="newest") == ["c", "a", "b"]
    assert found(sort="updated") == ["b", "c", "a"]


def test_curators_arrange_first_then_the_title_does() -> None:
    make_module("deep-oc-b")
    make_module("deep-oc-a")
    make_module("deep-oc-z", featured=True)
    make_module("deep-oc-c", position=1)
    assert [slug[-1] for slug in found()] == ["z", "c", "a", "b"]
    assert [slug[-1] for slug in found(sort="title")] == ["a", "b", "c", "z"]


def test_what_was_never_read_comes_last_unless_curators_put_it_elsewhere() -> None:
    read = datetime(2026, 1, 1, tzinfo=UTC)
    make_module("deep-oc-a", fetched_at=None)
    make_module("deep-oc-b", fetched_at=read, state=Module.State.BROKEN)  # its last good version is shown
    make_module("deep-oc-c", fetched_at=None, position=1)
    assert [slug[-1] for slug in found()] == ["c", "b", "a"]
    assert [slug[-1] for slug in found(sort="title")] == ["a", "b", "c"]


def test_every_word_must_be_there_in_any_case_and_place() -> None:
    make_module("a", title="Plankton", description="Seen in the NORTH sea.")
    make_module("b", title="Birds", description="North of here", keywords=["audio"])
    assert found("north") == ["b", "a"]
    assert found("north PLANK") == ["a"]
    assert found("% north") == []


def test_only_what_can_be_chosen_has_a_card() -> None:
    make_module("a")
    make_module("hidden", hidden=True)
    make_module("gone", state=Module.State.GONE)
    make_module("development", kind=Module.Kind.DEVELOPMENT)
    make_module("external", kind=Module.Kind.EXTERNAL)
    assert found() == ["a"]
    assert set(counts().values()) == {1}


def test_a_kinds_own_values_are_counted_as_if_none_of_it_were_chosen() -> None:
    make_module("a", keywords=["tensorflow", "audio"], licence="MIT")
    make_module("b", keywords=["pytorch", "audio"], licence="MIT")
    make_module("c", keywords=["pytorch", "birds"], licence="Apache 2.0")
    assert found(framework=["tensorflow"]) == ["a"]
    assert counts(framework=["tensorflow"]) == {"tensorflow": 1, "pytorch": 2, "audio": 1, "mit": 1}
    assert counts(framework=["pytorch"], licence=["mit"]) == {
        "pytorch": 1,
        "tensorflow": 1,
        "audio": 1,
        "mit": 1,
        "apache 2.0": 1,
    }
    assert found(framework=["pytorch", "tensorflow"], task=["audio"]) == ["a", "b"]
    assert found(task=["unheard of"]) == []


def test_an_unchanged_catalogue_costs_one_statement_and_a_changed_one_five(django_assert_num_queries: Any) -> None:
    modules = [make_module(f"m-{number}") for number in range(5)]
    current_index()
    with django_assert_num_queries(1):
        assert len(current_index().find("", {}, "").pks) == 5
    modules[0].title_override = "Changed"
    modules[0].save()
    with django_assert_num_queries(5):
        assert len(current_index().find("changed", {}, "").pks) == 1


@pytest.mark.parametrize("how", ["save", "columns", "update", "bulk", "delete", "create", "facets"])
def test_no_change_is_missed_however_it_is_made(how: str) -> None:
    modules = [make_module(f"m-{number}", title=f"M {number}") for number in range(3)]
    before = found()
    first = modules[0]
    first.hidden = True
    match how:
        case "save":
            first.save()
        case "columns":
            first.save(update_fields=["hidden"])
        case "update":
            Module.objects.filter(pk=first.pk).update(hidden=True)
        case "bulk":
            Module.objects.bulk_update([first], ["hidden"])
        case "delete":
            first.delete()
        case "create":
            make_module("m-9", title="A")
        case "facets":
            ModuleFacet.objects.filter(module=first, kind="framework").delete()
            first.hidden = False
            first.save()
            assert found(framework=["tensorflow"]) == ["m-1", "m-2"]
            return
    assert found() != before


def test_while_a_refresh_runs_what_is_shown_may_be_a_moment_old(monkeypatch: pytest.MonkeyPatch) -> None:
    RefreshRun.objects.create(trigger="command", state=RefreshRun.State.RUNNING, started=timezone.now())
    make_module("a")
    assert found() == ["a"], "the first look during a refresh is at what is there"
    make_module("b")
    assert found() == ["a"]
    monkeypatch.setattr(index, "REST", 0.0)
    assert found() == ["a", "b"]
    monkeypatch.setattr(index, "REST", 3600.0)
    RefreshRun.objects.update(state=RefreshRun.State.DONE)
    make_module("c")
    assert found() == ["a", "b", "c"], "when it is over, nothing is held back"


def test_two_changes_that_cross_are_both_seen() -> None:
    """What commits first need not be what was begun first; a clock or a counter would overlook one of them."""
    one, two = make_module("one"), make_module("two")
    late = Module.objects.get(pk=one.pk)
    late.title_override = "Late"
    two.title_override = "Early"
    two.save()
    assert found("early") == ["two"]
    late.save()
    assert found("late") == ["one"]


def test_many_changes_at_once_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "ONE_BY_ONE", 2)
    for number in range(5):
        make_module(f"m-{number}", keywords=["audio"] if number % 2 else ["birds"])
    assert len(found()) == 5
    assert counts() == {"audio": 2, "birds": 3, "mit": 5}


def test_answers_of_one_state_are_kept_within_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "KEPT_ANSWERS", 3)
    make_module("a", title="Plankton")
    state = current_index()
    for number in range(10):
        state.find(f"word{number}", {}, "")
    assert len(state._answers) <= 3
    assert state.find("plankton", {}, "") is state.find("plankton", {}, "")


WORDS = ["audio", "birds", "tensorflow", "pytorch", "trainable"]
CATALOGUE = st.lists(
    st.tuples(st.lists(st.sampled_from(WORDS), max_size=4), st.sampled_from(["MIT", "Apache 2.0", ""]), st.booleans()),
    max_size=6,
)
CHOSEN = st.dictionaries(
    st.sampled_from(["task", "framework", "licence", "capability"]),
    st.lists(st.sampled_from([*WORDS, "mit", "apache 2.0"]), min_size=1, max_size=2),
    max_size=3,
)


@given(catalogue=CATALOGUE, words=st.sampled_from(["", "au", "title 1"]), chosen=CHOSEN)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_it_agrees_with_the_database(
    catalogue: list[tuple[list[str], str, bool]], words: str, chosen: dict[str, list[str]]
) -> None:
    Module.objects.all().delete()
    for number, (keywords, licence, hidden) in enumerate(catalogue):
        make_module(f"m-{number}", title=f"Title {number}", keywords=keywords, licence=licence, hidden=hidden)

    def asked(kinds: dict[str, list[str]]) -> set[int]:
        rows = Module.objects.for_list().search(words)
        for kind, values in kinds.items():
            having = ModuleFacet.objects.filter(kind=kind, value__in=values)
            rows = rows.filter(pk__in=having.values("module_id"))
        return set(rows.values_list("pk", flat=True))

    answer = current_index().find(words, chosen, "")
    assert set(answer.pks) == asked(chosen)
    for value, count in answer.counts:
        others = {kind: values for kind, values in chosen.items() if kind != value.kind}
        having = ModuleFacet.objects.filter(module__in=asked(others), kind=value.kind, value=value.value)
        assert count == having.count(), value
