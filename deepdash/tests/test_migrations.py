"""Migrations can be taken back, and the version before them goes on working while they are made.

The rule (docs/operations.md): a release only adds. What is new is empty or has a default that the database itself
knows, since the old version inserts rows without it. What is removed was already unused in the release before, which
the migration says: ``unused_since = "1.1.0"``.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models.fields import NOT_PROVIDED

from deepdash.config import BASE_DIR
from tests.servers import postgres

OURS = ("accounts", "catalog", "deepdash", "deployments")
REMOVALS = (migrations.RemoveField, migrations.DeleteModel)
RENAMES = (migrations.RenameField, migrations.RenameModel, migrations.AlterModelTable)
ROUND = """
from django.apps import apps
from django.core.management import call_command
from django.db import connection

def tables():
    return sorted(connection.introspection.table_names())

def columns():
    with connection.cursor() as cursor:
        return {table: sorted(c.name for c in connection.introspection.get_table_description(cursor, table))
                for table in tables()}

call_command("migrate", verbosity=0)
before = columns()
for app in ("deployments", "catalog", "accounts", "deepdash"):
    call_command("migrate", app, "zero", verbosity=0)
left = [table for table in tables() if table.startswith(("deployments_", "catalog_", "accounts_", "deepdash_"))]
call_command("migrate", verbosity=0)
print("left", left, "same", columns() == before, "tables", len(before))
"""


def there_and_back(**environment: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DEEPDASH_")}
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v0", "-c", ROUND],
        cwd=BASE_DIR, env=kept | environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip().splitlines()[-1]


def test_all_of_them_can_be_taken_back_and_made_again_on_sqlite(tmp_path: Path) -> None:
    assert there_and_back(DEEPDASH_DATA_DIR=str(tmp_path)).startswith("left [] same True")


@pytest.mark.postgres
def test_all_of_them_can_be_taken_back_and_made_again_on_postgresql(tmp_path: Path) -> None:
    with postgres(tmp_path) as server:
        said = there_and_back(DEEPDASH_DATA_DIR=str(tmp_path), DEEPDASH_DATABASE_URL=server.url)
    assert said.startswith("left [] same True")


def hazards(operation: Operation, app: str, state: ProjectState, *, unused_since: str = "") -> Iterator[str]:
    """What in an operation would break the version before, which runs on meanwhile; ``state`` is the one before it."""
    if not operation.reversible:
        yield "can't be taken back"
    if isinstance(operation, RENAMES):
        yield "renames what the old version reads: add the new one, copy, remove the old one in a later release"
    elif isinstance(operation, REMOVALS) and not unused_since:
        yield "removes what the old version may read: say unused_since"
    elif isinstance(operation, migrations.AddField):
        yield from _without_a_value(operation.field)
    elif isinstance(operation, migrations.AlterField):
        before = state.models[app, operation.model_name_lower].fields[operation.name]
        yield from _narrower(before, operation.field)
    elif isinstance(operation, migrations.AddConstraint | migrations.AlterUniqueTogether) and not unused_since:
        yield "forbids rows that the old version may write: say unused_since when it no longer did"


def _without_a_value(field: "models.Field[object, object]") -> Iterator[str]:
    if not (field.many_to_many or field.null or field.db_default is not NOT_PROVIDED):
        yield "is a column that the old version does not fill in: make it nullable, or give it a db_default"


def _narrower(before: "models.Field[object, object]", after: "models.Field[object, object]") -> Iterator[str]:
    if before.null and not after.null:
        yield "forbids the empty value that the old version may write"
    if type(before) is not type(after):
        yield "changes the type of what the old version reads"
    shorter = after.max_length is not None and (before.max_length is None or after.max_length < before.max_length)
    if shorter:
        yield "is too short for what the old version may write"
    if after.unique and not before.unique:
        yield "forbids rows that the old version may write"


def test_no_migration_breaks_the_version_before_it() -> None:
    loader = MigrationLoader(None)
    found: list[str] = []
    looked_at = 0
    for key, migration in sorted(loader.disk_migrations.items()):
        if key[0] not in OURS or migration.initial:
            continue
        state = loader.project_state(key, at_end=False)
        made_here = {op.name_lower for op in migration.operations if isinstance(op, migrations.CreateModel)}
        for operation in migration.operations:
            looked_at += 1
            if getattr(operation, "model_name_lower", None) not in made_here:  # nobody knows a new table yet
                since = getattr(migration, "unused_since", "")
                found += [f"{migration}: {operation.describe()}: {what}"
                          for what in hazards(operation, key[0], state, unused_since=since)]  # fmt: skip
            operation.state_forwards(key[0], state)
    assert found == []
    assert {app.label for app in apps.get_app_configs() if app.label in OURS} == set(OURS)
    print(f"{looked_at} operations looked at")


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        (migrations.AddField("user", "a", models.IntegerField(default=1)), "does not fill in"),
        (migrations.AddField("user", "a", models.IntegerField(db_default=1)), ""),
        (migrations.AddField("user", "a", models.IntegerField(null=True)), ""),
        (migrations.RemoveField("user", "name"), "say unused_since"),
        (migrations.DeleteModel("user"), "say unused_since"),
        (migrations.RenameField("user", "name", "title"), "renames"),
        (migrations.RenameModel("user", "person"), "renames"),
        (migrations.AlterField("user", "name", models.CharField(max_length=10)), "too short"),
        (migrations.AlterField("user", "name", models.CharField(max_length=500)), ""),
        (migrations.AlterField("user", "name", models.IntegerField()), "changes the type"),
        (migrations.AlterField("user", "name", models.CharField(max_length=500, unique=True)), "forbids rows"),
        (migrations.AddConstraint("user", models.UniqueConstraint(fields=["name"], name="x")), "forbids rows"),
        (migrations.RunPython(migrations.RunPython.noop), "can't be taken back"),
        (migrations.RunSQL("SELECT 1"), "can't be taken back"),
    ],
)
def test_what_would_break_it_is_seen(operation: Operation, said: str) -> None:
    state = MigrationLoader(None).project_state(("accounts", "0001_initial"))
    found = " ".join(hazards(operation, "accounts", state))
    assert said in found
    assert bool(said) == bool(found)
