"""What the page of the interface's parts shows: tokens and symbols as the files have them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django import forms
from django.contrib.staticfiles import finders

_TOKEN = re.compile(r"^\s*--([\w-]+):\s*([^;]+);", re.MULTILINE)
_SYMBOL = re.compile(r'<symbol id="([\w-]+)"')


@dataclass(frozen=True)
class Token:
    """A custom property of ``tokens.css``: name without dashes, value as written."""

    name: str
    value: str

    @property
    def is_colour(self) -> bool:
        return self.value.startswith("light-dark(") and not self.name.startswith("shadow")


@cache
def tokens() -> tuple[Token, ...]:
    """All tokens in the order of the style sheet."""
    return tuple(dict.fromkeys(Token(*found) for found in _TOKEN.findall(_static("css/tokens.css"))))


@cache
def symbols() -> tuple[str, ...]:
    """The names that the ``icon`` tag takes."""
    return tuple(_SYMBOL.findall(_static("img/icons.svg")))


class SampleForm(forms.Form):
    """One field of each look."""

    title = forms.CharField(help_text="How you find it in your list. Up to 45 characters.")
    memory = forms.IntegerField(initial=4096, help_text="In MB")
    template = forms.ChoiceField(choices=[("default", "Default"), ("light", "Light")])
    note = forms.CharField(widget=forms.Textarea(attrs={"rows": 2}), required=False)
    password = forms.CharField(min_length=9, help_text="At least 9 characters.")


def sample_form() -> SampleForm:
    """The sample with something right and something wrong in it."""
    return SampleForm({"title": "Alpine plants", "memory": "4096", "template": "light", "password": "short"})


# Two trainings and two months, as the fragments of charts take them.
_DOTS = [{"x": 90, "y": 150, "title": "10:00: 0.4"}, {"x": 680, "y": 40, "title": "11:00: 0.9", "best": True}]
SAMPLE_CHART = {
    "title": "acc of each training, in the order they were started", "width": 740, "height": 220, "left": 64,
    "right": 716, "grid": [(180, "0"), (24, "1")], "ticks": [(90, "10:00"), (680, "11:00")], "across": "Trainings",
    "upward": "acc", "line": "90,150 680,40", "dots": _DOTS, "crosses": [{"cross": "m381 176 8 8m0-8-8 8"}],
    "best": {"x": 680, "above": 28, "text": "0.9 best"},
}  # fmt: skip
SAMPLE_BARS = [
    {"label": label, "value": hours, "shown": f"{hours}", "share": hours / 2, "x": x, "middle": x + 50, "width": 100,
     "y": 160 - hours, "height": hours, "share_y": 160 - hours / 2, "share_height": hours / 2, "above": 154 - hours}
    for label, hours, x in (("Oct", 60, 150), ("Nov", 120, 450))
]  # fmt: skip


def colours() -> Iterator[Token]:
    return (token for token in tokens() if token.is_colour)


def sizes() -> Iterator[Token]:
    return (token for token in tokens() if not token.is_colour)


def _static(path: str) -> str:
    found = finders.find(path)
    assert isinstance(found, str), path
    return Path(found).read_text(encoding="utf-8")
