"""YAML in colours: nothing is lost or added, and the kinds are those a reader expects."""

import time

import pytest
from django.test import Client

from accounts.models import User
from deployments.testing import make_deployment
from deployments.yaml_highlight import MAX_CHARS, Piece, yaml_pieces

SAMPLE = """\
# A comment
tosca_definitions_version: tosca_simple_yaml_1_0
"quoted key": 'it''s # no comment'  # one
topology_template:
  inputs:
    - num_cpus: 4
      url: https://example.org/a#b
      on: true
      tags: [1, "two", ~]
      same: &anchor {a: 1}
      also: *anchor
      text: |
        key: not a key
        # not a comment

      after: -1.5
"""


def of(kind: str, text: str = SAMPLE) -> list[str]:
    return [piece.text for piece in yaml_pieces(text) if piece.kind == kind]


@pytest.mark.parametrize(
    "text",
    [SAMPLE, SAMPLE.replace("\n", "\r\n"), "", "no newline", "\t- - x: {", "a: 'open\nb: \"open", "---\n...\n",
     "\u2028a: b", ": :", "x" * (MAX_CHARS + 1)],
)  # fmt: skip
def test_the_pieces_are_the_text(text: str) -> None:
    assert "".join(piece.text for piece in yaml_pieces(text)) == text


def test_each_kind_is_told() -> None:
    assert of("key") == [
        "tosca_definitions_version", '"quoted key"', "topology_template", "inputs", "num_cpus", "url", "on", "tags",
        "same", "also", "text", "after",
    ]  # fmt: skip
    assert of("comment") == ["# A comment", "# one"]
    assert of("string") == ["'it''s # no comment'", '"two"', "        key: not a key\n        # not a comment\n\n"]
    assert of("literal") == ["4", "true", "1", "~", "1", "-1.5"]
    assert of("mark") == ["&anchor", "*anchor"]


def test_a_list_item_that_is_text_is_no_key() -> None:
    assert yaml_pieces("- https://example.org") == [Piece("", "- https://example.org")]


@pytest.mark.parametrize("line", ['"' * 90_000, '"' * 499, "'\\\"" * 166, " " * 499, "- " * 249, "&" * 499, "a " * 249])
def test_no_text_takes_long(line: str) -> None:
    began = time.thread_time()
    yaml_pieces((line + "\n") * (MAX_CHARS // (len(line) + 1)))
    assert time.thread_time() - began < 10  # open quotes took minutes before lines had a limit


def test_the_page_shows_it_escaped_and_downloads_it_as_it_is(browser: Client, owner: User, services: None) -> None:
    mine = make_deployment(owner, template_text="a: '<b>'\n")
    page = browser.get(f"/deployments/{mine.uuid}/template").content.decode()
    assert '<span data-kind="key">a</span>: <span data-kind="string">&#x27;&lt;b&gt;&#x27;</span>' in page
    assert browser.get(f"/deployments/{mine.uuid}/template?raw=1").content == b"a: '<b>'\n"
