"""One site for all faults that it survives: gunicorn with two processes, worker, beat, PostgreSQL, Redis, sandbox."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from tests.faults.site import Site
from tests.servers import postgres, redis
from tests.stack import ROOT, running

CLOCK = Path(__file__).parent / "clock"
Tell = Callable[[str, float], None]


@pytest.fixture(scope="package")
def one_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("faults")
    clock = folder / "clock"
    clock.write_text("0", encoding="ascii")
    with postgres(folder) as database, redis(folder) as broker:
        keys = {
            "DATABASE_URL": database.url,
            "REDIS_URL": broker.url,
            "SECRET_KEY": "shared-by-all-hosts-0123456789-abcdefghijkl",
            "TOKEN_KEYS": [Fernet.generate_key().decode()],
        }
        environment = {
            "WORKERS": "2",
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(CLOCK)]),
            "CLOCK_FILE": str(clock),
        }
        data = folder / "site"
        data.mkdir()
        with running(data, extra=keys, environment=environment, keeps_state=True, public=True) as stack:
            yield Site(stack, database, broker, clock)


@pytest.fixture
def site(one_site: Site) -> Iterator[Site]:
    """The site in good health, before and after."""
    one_site.heal()
    yield one_site
    one_site.heal()


@pytest.fixture
def tell(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> Tell:
    """Notes a figure (seconds) beside the test's result."""

    def note(what: str, seconds: float) -> None:
        record_property(what, round(seconds, 2))
        print(f"FIGURE {request.node.name}: {what} {seconds:.2f} s")

    return note
