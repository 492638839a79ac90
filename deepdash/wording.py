"""Words around lists, in the reader's language."""

from collections.abc import Sequence
from functools import reduce

from django.utils.translation import gettext as _


def every(names: Sequence[str]) -> str:
    """Names all of which count: "a, b and c"; "" for none."""
    if len(names) < 2:
        return "".join(names)
    return _("%(others)s and %(last)s") % {"others": ", ".join(names[:-1]), "last": names[-1]}


def either(names: Sequence[str]) -> str:
    """Names of which one is enough: "a or b or c"."""
    return reduce(lambda others, last: _("%(others)s or %(last)s") % {"others": others, "last": last}, names)
