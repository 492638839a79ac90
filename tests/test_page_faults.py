"""Every page that asks a service, while all of them are in trouble: it is there, and names who did not answer.

Which pages ask, and whom, is seen from the sandbox's own count of calls; the pages come from the URL configuration.
"""

import pytest

from tests.addresses import READ, STAFF
from tests.places import Places
from tests.stack import Stack
from tests.visitor import Page, Visitor

FAULTS: dict[str, dict[str, object]] = {
    "down": {"close": True},
    "500": {"status": 500, "body": "text"},
    "proxy-page": {"status": 503, "body": "html"},
    "html": {"status": 200, "body": "html"},
    "broken-json": {"status": 200, "body": "broken-json"},
    "empty": {"status": 200, "body": "empty"},
    "busy": {"status": 429},
}
MANNERS = ("first", "fresh", "fragment")
NAMES = {
    "orchestrator": "orchestrator", "slam": "SLAM", "cmdb": "CMDB", "im": "Infrastructure Manager",
    "monitoring": "Monitoring", "storage": "Cloud", "deepaas": "DEEPaaS",
}  # fmt: skip
# Text that is not JSON can be anything; and to a probe any answer below 500 is a sign of life.
BELIEVED = {"deployments:log", "deployments:template", "deployments:detail", "deployments:live", "deployments:rows",
            "deployments:list"}  # fmt: skip


def ask(stack: Stack, places: Places, name: str, manner: str) -> Page:
    visitor = Visitor(stack.url).sign_in("grace" if name in STAFF else "ada")
    address = places.pages[name]
    if manner == "fresh":
        address += "&fresh=1" if "?" in address else "?fresh=1"
    return visitor.fragment(address) if manner == "fragment" else visitor.get(address)


def asked(stack: Stack) -> set[str]:
    return {str(row["service"]) for row in stack.control("GET", "calls")["calls"]}


@pytest.fixture(scope="module")
def asking(one_stack: Stack, places: Places) -> list[tuple[str, str]]:
    """The pages, and how they are asked for, that asked somebody while all was well."""
    one_stack.heal()
    found = []
    for name in sorted(READ):
        for manner in MANNERS:
            one_stack.control("DELETE", "calls")
            assert ask(one_stack, places, name, manner).status in {200, 204, 286}, (name, manner)
            if asked(one_stack):
                found.append((name, manner))
    return found


def test_many_pages_ask_somebody(asking: list[tuple[str, str]]) -> None:
    assert len({name for name, _ in asking}) > 10
    assert ("deployments:list", "first") not in asking


@pytest.mark.parametrize("fault", FAULTS)
def test_a_page_stays_calm_and_names_who_is_in_trouble(
    stack: Stack, places: Places, asking: list[tuple[str, str]], fault: str
) -> None:
    stack.fault("*", **FAULTS[fault])
    wrong = []
    for name, manner in asking:
        stack.control("DELETE", "calls")
        page = ask(stack, places, name, manner)
        services = asked(stack) & set(NAMES)
        if page.status == 500 or "Traceback" in page.text or not page.words:
            wrong.append((name, manner, page.status, page.words[:200]))
        elif FAULTS[fault].get("status") == 200 and name in BELIEVED:
            continue
        elif services and not any(NAMES[service].lower() in page.words.lower() for service in services):
            wrong.append((name, manner, page.status, f"none of {services} in: {page.words[:1500]}"))
    assert not wrong, "\n".join(map(str, wrong))
    assert "Traceback" not in stack.log
