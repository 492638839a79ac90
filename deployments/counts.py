"""Numbers of processors and GPUs: read from what is typed or told, and said in words."""

from typing import Any

from django.utils.translation import ngettext


def count_of(value: Any) -> int | None:
    """A small whole number, also as text; None for anything else, and for what no column would take."""
    text = str(value).strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else None


def cpus_said(number: int) -> str:
    """ "4 CPUs"."""
    return ngettext("%(number)s CPU", "%(number)s CPUs", number) % {"number": number}


def gpus_said(number: int) -> str:
    """ "1 GPU"."""
    return ngettext("%(number)s GPU", "%(number)s GPUs", number) % {"number": number}
