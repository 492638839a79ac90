"""Module descriptions: Markdown with stray HTML, from outside, made into HTML that is safe to show.

Two lines of defence: raw HTML is never passed through, and what comes out is held to an allow-list. Images lie on
other hosts, which our pages load nothing from: they become links.
"""

import html
import re
from urllib.parse import urlsplit

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

_TAGS = {
    "a", "blockquote", "br", "code", "del", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "strong",
    "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_ATTRIBUTES = {"a": {"href"}, "ol": {"start"}, "pre": {"tabindex"}}
# The raw HTML that real descriptions hold; their authors' quoting is loose. Possessive and bounded, so that no text
# makes them slow.
_IMAGE = re.compile(r"<img\b[^<>]*?\bsrc\s*+=\s*+[\"']?([^\s\"'<>]++)[^<>]*+>", re.IGNORECASE)
_LINK = re.compile(
    r"<a\b[^<>]*?\bhref\s*+=\s*+[\"']?([^\s\"'<>]++)[^<>]*+>(.{0,1000}?)</a\s*+>", re.IGNORECASE | re.DOTALL
)
_VIDEO = re.compile(r"<(?:source|video)\b[^<>]*?\bsrc\s*+=\s*+[\"']?([^\s\"'<>]++)[^<>]*+>", re.IGNORECASE)
_OTHER = re.compile(r"</?(?:video|source|p|div|span|center|br|b|i|u|font|iframe|script|style)\b[^<>]*+>", re.IGNORECASE)

_NO_LINK = re.compile(r'<a rel="noopener nofollow">(.*?)</a>', re.DOTALL)  # what is left of a link without an address


def render(text: str) -> str:
    """HTML of a description; headings start at level 3, links go to web addresses only."""
    tokens = _MARKDOWN.parse(_as_markdown(text))
    _heading_levels(tokens)
    made: str = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    clean: str = nh3.clean(
        made,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_web_links_only,
        url_schemes={"http", "https"},
        link_rel="noopener nofollow",
    )
    clean = _NO_LINK.sub(r"\1", clean)
    return clean.replace("<pre>", '<pre tabindex="0">')  # it scrolls, so a keyboard has to reach it


def _as_markdown(text: str) -> str:
    """The few HTML elements that descriptions use, said in Markdown."""
    text = _LINK.sub(lambda m: f"[{_words(m[2]) or m[1]}](<{m[1]}>)", text)
    text = _IMAGE.sub(lambda m: f"![](<{m[1]}>)", text)
    text = _VIDEO.sub(lambda m: f"[Video](<{m[1]}>)", text)
    return _OTHER.sub("", text)


def _web_links_only(tag: str, name: str, value: str) -> str | None:
    """Drops links that are relative: they mean another site's pages, and would lead into ours."""
    return value if name != "href" or urlsplit(value).scheme in {"http", "https"} else None


def _words(markup: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>|[\[\]]", "", html.unescape(markup))).strip()


def _image_as_link(self: object, tokens: list[Token], index: int, options: object, env: object) -> str:
    source = str(tokens[index].attrs.get("src", ""))
    if urlsplit(source).scheme not in {"http", "https"}:
        return html.escape(tokens[index].content)
    name = tokens[index].content or f"Image: {source.rpartition('/')[2]}"
    return f'<a href="{html.escape(source)}">{html.escape(name)}</a>'


def _heading_levels(tokens: list[Token]) -> None:
    """Give headings levels without gaps from 3 on: h1 is the page's, h2 the panel's, and authors skip levels."""
    open_levels: list[int] = []
    for token in tokens:
        if token.type == "heading_open":
            level = int(token.tag[1])
            while open_levels and open_levels[-1] >= level:
                open_levels.pop()
            open_levels.append(level)
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(6, 2 + len(open_levels))}"


def _make_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"])
    parser.options["maxNesting"] = 20
    parser.add_render_rule("image", _image_as_link)
    return parser


_MARKDOWN = _make_parser()
