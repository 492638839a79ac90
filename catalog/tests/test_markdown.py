"""Descriptions from outside are shown as far as they are harmless."""

import time

import pytest

from catalog.markdown import render


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[a](javascript:alert(1))",
        "[a](  java\nscript:alert(1))",
        "<a href='javascript:alert(1)'>a</a>",
        "![a](javascript:alert(1))",
        "<iframe src=https://evil.example></iframe>",
        "<a href=https://ok.example onclick=alert(1)>a</a>",
        "[a](data:text/html,<script>alert(1)</script>)",
        "<svg><style><img src=x onerror=alert(1)></style></svg>",
        "`<b onmouseover=alert(1)>`",
        '<a href="https://ok.example/%22%20onclick=%22alert(1)">a</a>',
    ],
)
def test_nothing_that_acts_gets_through(text: str) -> None:
    html = render(text)
    lowered = html.casefold()
    assert "<script" not in lowered
    assert "<img" not in lowered
    assert "<iframe" not in lowered
    assert 'href="javascript' not in lowered
    assert 'href="data' not in lowered
    inside_tags = "".join(part.partition(">")[0] for part in lowered.split("<")[1:])
    assert " onerror" not in inside_tags
    assert " onclick" not in inside_tags
    assert " onmouseover" not in inside_tags


def test_an_image_becomes_a_link_so_that_no_page_loads_from_another_host() -> None:
    html = render("![A plant](https://pictures.example/plant.png)")
    assert html == '<p><a href="https://pictures.example/plant.png" rel="noopener nofollow">A plant</a></p>\n'


def test_the_loose_html_of_real_descriptions_is_understood() -> None:
    html = render("<img class='fit', src='https://h.example/a.png'/>\n\n<a href=https://h.example/b >the <b>b</b></a>")
    assert ">Image: a.png</a>" in html
    assert '<a href="https://h.example/b" rel="noopener nofollow">the b</a>' in html


def test_relative_links_do_not_lead_into_our_own_pages() -> None:
    assert render("[other](./deep-oc-other.html)") == "<p>other</p>\n"


def test_headings_start_below_those_of_the_page() -> None:
    assert render("# A\n\n###### B").split() == ["<h3>A</h3>", "<h4>B</h4>"]


def test_headings_leave_out_no_level_whatever_the_author_skips() -> None:
    levels = [line[1:3] for line in render("## A\n\n#### B\n\n#### C\n\n## D\n\n# E\n\n## F").splitlines()]
    assert levels == ["h3", "h4", "h4", "h3", "h3", "h4"]


def test_tables_and_code_are_kept_and_wide_ones_can_be_reached_by_keyboard() -> None:
    html = render("| a | b |\n|---|---|\n| 1 | 2 |\n\n```\nx < y\n```")
    assert "<td>2</td>" in html
    assert '<pre tabindex="0"><code>x &lt; y' in html


@pytest.mark.parametrize(
    "text",
    ["<img " * 10_000, "<a href=x>" * 5_000, "[" * 20_000, "*a " * 15_000, "> " * 20_000, "<img src=" + "a" * 49_000],
)
def test_no_text_makes_it_slow(text: str) -> None:
    started = time.thread_time()
    render(text)
    assert time.thread_time() - started < 5
