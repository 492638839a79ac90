"""What is Ada's stays as it is, whatever a colleague sends: to her machine, her storage accounts, her notices."""

import re

import pytest

from tests.places import Places, deploy, until
from tests.stack import Stack
from tests.visitor import Visitor


def send(visitor: Visitor, address: str, **posted: str) -> int:
    """The status of a POST that no page of theirs offers, but with their own token."""
    token = visitor.get("/storage").form("/storage").fields["csrfmiddlewaretoken"]
    headers = {"Referer": f"{visitor.base}/storage", "Origin": visitor.base}
    data = {"csrfmiddlewaretoken": token, **posted}
    return visitor.session.post(f"{visitor.base}{address}", data=data, headers=headers, timeout=60).status_code


@pytest.fixture(params=["ben", "mallory"])
def other(request: pytest.FixtureRequest, stack: Stack) -> Visitor:
    return Visitor(stack.url).sign_in(request.param)


def test_nobody_else_updates_a_machine(places: Places, stack: Stack, ada: Visitor, other: Visitor) -> None:
    address = f"{places.machine}/update"
    values = {name: value for name, value in ada.get(address).form("/update").form_values() if name.startswith("in-")}
    assert "in-num_instances" in values
    before = stack.calls("orchestrator")
    assert other.get(address).status == 404
    for action in ("deploy", "review", "apply"):
        assert send(other, address, action=action, **(values | {"in-num_instances": "2"})) == 404
    assert stack.calls("orchestrator") == before, "the orchestrator was never asked"
    assert dict(ada.get(address).form("/update").form_values())["in-num_instances"] == values["in-num_instances"]


def test_nobody_else_uses_changes_or_tests_a_storage_account(places: Places, ada: Visitor, other: Visitor) -> None:
    address = places.pages["deployments:storage_edit"]
    key = address.rsplit("/", 1)[1]
    before = ada.get(address)
    assert "Cloud" in before.text
    taken = {"label": "Taken", "url": "https://elsewhere.example.org/", "user_name": "them", "password": "theirs-now"}
    assert other.get(address).status == 404
    for path in (address, f"{address}/test", f"{address}/delete"):
        assert send(other, path, **taken) == 404
    assert "dav/files/ada" not in other.get("/storage").words
    form = other.get(f"/module/deep-oc-alpine-flora?storage=account-{key}")
    assert "Cloud (ada)" not in form.words
    filled = other.submit(form, "/module/", ("action", "review"), storage=f"account-{key}", title="With hers")
    assert f"{ada.base}/storage" not in filled.text
    assert "storage/remote.php/dav/files/ada" not in filled.text
    assert dict(ada.get(address).form(address).form_values())["label"] == "Cloud"


def test_nobody_else_reads_or_clears_notices(stack: Stack, ada: Visitor, other: Visitor) -> None:
    until(ada, deploy(ada, "To be noticed", "deep-oc-always-fails"), "Creation failed")
    mine = ada.get("/notices")
    new = mine.tree.xpath("count(//main//*[normalize-space(text())='New'])")
    addresses = {action for it in mine.tree.forms if re.fullmatch(r".*/notices/[0-9]+", action := it.action or "")}
    assert new
    assert addresses
    for address in addresses:
        assert send(other, address.removeprefix(ada.base)) == 404
    assert send(other, "/notices/read") == 200  # their own
    assert "To be noticed" not in other.get("/notices").words
    assert ada.get("/notices").tree.xpath("count(//main//*[normalize-space(text())='New'])") == new
