"""What all tests share."""

import os
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.core.cache import cache, caches
from django.utils import translation
from xdist.remote import Producer

from deepdash.translations import compile_translations
from tests.scheduling import WholeFiles, by_length


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    tmp_path_factory: pytest.TempPathFactory,
    django_db_modify_db_settings_parallel_suffix: None,  # each process of pytest-xdist has a database of its own
) -> None:
    """SQLite in a file, as on a laptop: threads meet the same locks as there, which memory does not have."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")


@pytest.fixture(autouse=True)
def _fresh_cache() -> Iterator[None]:
    """No test sees what another one cached."""
    cache.clear()
    caches["fragments"].clear()
    yield
    cache.clear()


@pytest.fixture(autouse=True)
def _no_language() -> Iterator[None]:
    """A page asked for in Spanish leaves its thread in Spanish until the next request; the next test has none."""
    yield
    translation.deactivate()


def pytest_configure() -> None:
    """The pages speak all their languages in tests too; a test's own server reads the same files."""
    compile_translations()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> WholeFiles:
    config.option.loadscopereorder = False  # the order is by_length
    return WholeFiles(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A developer's own run begins with the quick ones."""
    if hasattr(config, "workerinput"):
        items.sort(key=by_length)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """In CI nothing may be skipped: what a machine lacks is to be installed, not passed over."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if os.environ.get("CI") and skipped and exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
