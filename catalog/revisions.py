"""What state the catalogue is in, as one statement says it: what is made of its rows may be kept until this differs."""

from typing import NamedTuple

from django.db import connection

from catalog.models import RefreshRun

# As SQL: every page of the catalogue asks, and to put the statement together would cost ten times what it takes.
_STATEMENT = """
    SELECT COUNT(*), SUM(revision),
           (SELECT COUNT(*) FROM catalog_template), (SELECT SUM(revision) FROM catalog_template),
           (SELECT MAX(started) FROM catalog_refreshrun WHERE state = %s)
    FROM catalog_module
"""  # not shown


class Signature(NamedTuple):
    """How many rows there are, and the sum of their revisions."""

    rows: int
    revisions: int


class Revisions(NamedTuple):
    """``refresh`` tells one that is under way from others; None when none is."""

    modules: Signature
    templates: Signature
    refresh: object


def revisions_now() -> Revisions:
    """The state of the catalogue now (one statement)."""
    with connection.cursor() as cursor:
        cursor.execute(_STATEMENT, [RefreshRun.State.RUNNING])
        modules, module_sum, templates, template_sum, refresh = cursor.fetchone()
    return Revisions(Signature(modules, int(module_sum or 0)), Signature(templates, int(template_sum or 0)), refresh)
