"""Words around lists, in the reader's language."""

from collections.abc import Sequence
from functools import reduce

from django.utils.translation import gettext as _


def either(names: Sequence[str]) -> str:
    """Names of which one is enough: "a or b or c"."""
    return reduce(lambda others, last: _("%(others)s or %(last)s") % {"others": others, "last": last}, names)
