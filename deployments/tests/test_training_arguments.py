"""The form of a training is made from the module's own description, and checked before anything is sent."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict
from django.utils.datastructures import MultiValueDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepdash.uploads import Dropped
from deployments.clients.deepaas import refusals
from deployments.clients.upload import Part, Upload
from deployments.trainings.arguments import PREFIX, ArgumentsForm
from deployments.trainings.curl import curl_of
from deployments.trainings.description import Argument, arguments_of, restored, stored
from deployments.trainings.testing import swagger

ANY = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.sampled_from(["integer", "array", "boolean", "object"]),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["type", "enum", "minimum", "format"]), inner),
    max_leaves=8,
)
ARGUMENTS = arguments_of(swagger(), "plants", "train") or []


def form(files: Mapping[str, Any] | None = None, /, **values: Any) -> ArgumentsForm:
    """A form sent with the defaults, some of them changed; None takes a field out."""
    fresh = ArgumentsForm(arguments=ARGUMENTS)
    data = QueryDict(mutable=True)
    for bound in fresh:
        value = bound.value()
        if value is True:
            data[bound.name] = "on"
        elif value not in (None, False):
            data[bound.name] = value
        data[f"{bound.name}-shown"] = "1"
    for name, value in {"data": "/srv", **values}.items():
        data.pop(PREFIX + name, None)
        if value is not None:
            data[PREFIX + name] = value
    return ArgumentsForm(data, MultiValueDict({PREFIX + n: [f] for n, f in (files or {}).items()}), arguments=ARGUMENTS)


def errors(sent: ArgumentsForm) -> dict[str, str]:
    return {name.removeprefix(PREFIX): " ".join(map(str, texts)) for name, texts in sent.errors.items()}


class TestDescription:
    def test_every_argument_is_read_with_its_rules(self) -> None:
        named = {argument.name: argument for argument in ARGUMENTS}
        assert [*named][:3] == ["data", "epochs", "rate"]
        assert (named["epochs"].kind, named["epochs"].minimum, named["epochs"].maximum) == ("integer", 1, 50)
        assert named["data"].required
        assert not named["data"].has_default
        assert named["weights"].many
        assert named["weights"].kind == "number"
        assert (named["labels"].kind, named["labels"].place) == ("file", "formData")
        assert named["opt"].choices == ("adam", "sgd")
        assert named["api_token"].secret

    def test_the_wildcard_that_deepaas_adds_is_no_choice(self) -> None:
        accept = (arguments_of(swagger(), "plants", "predict") or [])[-1]
        assert accept.place == "header"
        assert "*/*" not in accept.choices

    def test_a_base_path_in_front_makes_no_difference(self) -> None:
        assert arguments_of(swagger(base="/deepaas"), "plants", "train") == ARGUMENTS

    def test_a_limit_that_is_no_usual_number_is_none(self) -> None:
        parameter = {"in": "query", "name": "x", "type": "integer", "minimum": 10**400, "maximum": float("inf")}
        found = arguments_of({"paths": {"/models/m/train": {"post": {"parameters": [parameter]}}}}, "m", "train")
        assert found == [Argument(name="x", kind="integer")]

    def test_another_model_or_no_description_has_no_operation(self) -> None:
        assert arguments_of(swagger(), "other", "train") is None
        assert arguments_of("<html>", "plants", "train") is None
        assert arguments_of({"paths": {"/v2/models/plants/train/": {"get": {}}}}, "plants", "train") is None

    def test_it_survives_being_stored(self) -> None:
        assert restored(stored(ARGUMENTS)) == ARGUMENTS
        assert restored([{"kind": "spaceship"}, None]) == []

    @settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
    @given(
        st.dictionaries(
            st.sampled_from(["in", "name", "type", "items", "enum", "default", "minimum", "required", "format"]), ANY
        ),
        st.booleans(),
    )
    def test_whatever_a_module_writes_is_read_or_left_out(self, parameter: dict[str, Any], sound: bool) -> None:
        if sound:
            parameter |= {"in": "query", "name": "x"}
        paths = {"/v2/models/m/train/": {"post": {"parameters": [parameter]}}}
        found = arguments_of({"paths": paths}, "m", "train") or []
        assert len(found) == sound or not sound
        assert restored(json.loads(json.dumps(stored(found), allow_nan=False))) == found
        for argument in found:
            assert "a-" in str(ArgumentsForm(arguments=[argument])["a-" + argument.name])


class TestForm:
    def test_the_defaults_are_sent_as_the_module_wrote_them(self) -> None:
        sent = form()
        assert sent.is_valid(), errors(sent)
        assert sent.call().params == [
            ("data", "/srv"), ("epochs", "2"), ("rate", "0.1"), ("opt", "adam"), ("aug", "true"),
            ("weights", "1.0"), ("weights", "2.0"), ("js", '{"a": 1}'),
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("name", "value", "said"),
        [
            ("data", "", "This is needed."),
            ("epochs", "51", "From 1 to 50; this is 51."),
            ("epochs", "1.5", "Write a whole number; “1.5” is not one."),
            ("epochs", "1" + "0" * 400, "Write a number; “1" + "0" * 39 + "” can’t be sent."),
            ("rate", "fast", "“fast” is not a number."),
            ("rate", "0,5", "“0,5” is not a number; write decimals with a point, such as 0.5."),
            ("rate", "nan", "Write a number; “nan” can’t be sent."),
            ("opt", "rmsprop", "“rmsprop” can’t be chosen; choose one from the list."),
            ("weights", "1\nx", "Entry 2: “x” is not a number."),
            ("when", "23.11.2026", "Write it like 2026-11-23; this is “23.11.2026”."),
            ("nested", "[1]", "Write a JSON object: names and values in braces."),
            ("data", "x" * 20_001, "Use at most 20000 characters; this has 20001."),
        ],
    )
    def test_a_wrong_value_is_refused_at_its_field_with_rule_and_fact(self, name: str, value: str, said: str) -> None:
        assert errors(form(**{name: value})) == {name: said}

    def test_an_emptied_field_falls_back_to_the_modules_default(self) -> None:
        sent = form(epochs="", weights="", note="", when="")
        assert sent.is_valid(), errors(sent)
        assert {name for name, _ in sent.call().params} == {"data", "rate", "opt", "aug", "js"}

    def test_line_breaks_are_sent_as_they_are_written_elsewhere(self) -> None:
        argument = Argument(name="notes", kind="string", default="a\nb")
        typed = ArgumentsForm(QueryDict("a-notes=a%0D%0Ab"), arguments=[argument])
        assert typed.is_valid()
        assert typed.call().params == [("notes", "a\nb")]

    def test_off_is_sent_too(self) -> None:
        sent = form(aug=None)
        assert sent.is_valid()
        assert ("aug", "false") in sent.call().params

    def test_a_secret_is_sent_but_neither_kept_nor_shown(self) -> None:
        sent = form(api_token="s3cret-value")
        assert sent.is_valid()
        call = sent.call()
        assert ("api_token", "s3cret-value") in call.params
        assert "s3cret-value" not in repr((call.shown, call.kept))

    def test_a_file_goes_along_as_one_part(self) -> None:
        sent = form({"labels": SimpleUploadedFile("a.txt", b"one\ntwo", "text/plain")})
        assert sent.is_valid()
        upload = sent.call().upload
        assert upload is not None
        body = b"".join(upload)
        assert len(body) == len(upload)
        assert b'name="labels"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\none\ntwo\r\n' in body

    def test_a_file_that_was_dropped_on_its_way_is_called_too_large(self) -> None:
        fresh = ArgumentsForm(QueryDict("a-data=x"), arguments=ARGUMENTS, dropped={"a-labels": Dropped.TOO_LARGE})
        assert "too large" in errors(fresh)["labels"]

    def test_a_file_for_which_there_was_no_room_is_called_so(self) -> None:
        fresh = ArgumentsForm(QueryDict("a-data=x"), arguments=ARGUMENTS, dropped={"a-labels": Dropped.NO_ROOM})
        assert "no room for this file" in errors(fresh)["labels"]

    def test_what_differs_from_the_default_says_so_and_is_shown_first(self) -> None:
        fresh = ArgumentsForm(arguments=ARGUMENTS, values={"js": "x", "epochs": 30})
        assert "Its default is 2." in str(fresh[PREFIX + "epochs"].help_text)
        assert {"a-data", "a-js", "a-epochs"} <= {bound.name for bound in fresh.first}
        assert not {bound.name for bound in fresh.first} & {bound.name for bound in fresh.rest}

    def test_the_modules_own_words_stand_at_their_fields(self) -> None:
        sent = form()
        assert sent.is_valid()
        sent.refuse({"epochs": "Too few for this set.", "hidden": "Not for you.", "": "Think again."})
        assert errors(sent) == {"epochs": "Too few for this set.", "__all__": "hidden: Not for you. Think again."}

    def test_an_exclusive_end_is_not_allowed_itself(self) -> None:
        argument = Argument(name="rate", kind="number", minimum=0, over=True, maximum=1)
        sent = ArgumentsForm(QueryDict("a-rate=0"), arguments=[argument])
        assert errors(sent) == {"rate": "More than 0, at most 1; this is 0."}


def test_refusals_are_read_in_both_layouts_of_webargs() -> None:
    assert refusals({"epochs": ["Not a valid integer."], "weights": {"1": ["Not a valid number."]}}) == {
        "epochs": "Not a valid integer.", "weights": "Entry 2: Not a valid number.",
    }  # fmt: skip
    assert refusals({"query": {"epochs": ["Bad."]}}) == {"epochs": "Bad."}
    assert refusals(["odd"]) == {"": "['odd']"}


def test_the_line_for_a_shell_quotes_what_it_must() -> None:
    line = curl_of("http://h:5/", "m", "train", params=[("data", "it's; rm -rf /")], files=[("f", "a b.txt")],
                   secrets=["token"])  # fmt: skip
    assert line == (
        "curl -X POST 'http://h:5/v2/models/m/train/?data=it%27s%3B+rm+-rf+%2F&token=YOUR_TOKEN' -F 'f=@a b.txt'"
    )


def test_a_file_name_cannot_end_its_header() -> None:
    file = SimpleUploadedFile("x", b"")
    head = b"".join(Upload([Part("a", 'x"\r\nEvil: 1', "text/plain\r\nEvil: 2", file, 0)]))
    assert b"\r\nEvil" not in head
