"""Which outputs are kept, and which become buttons."""

import json
from typing import Any

import pytest

from deployments.outputs import secret_values, services_of, web_address, without_secrets


def test_secrets_are_left_out_also_inside() -> None:
    outputs = {
        "jupyter_password": "hunter2",
        "node": {"ip": "1.2.3.4", "token": "t", "creds": [{"private_key": "k", "user": "u"}]},
        "nul": "a\0b",
        "number": 1.5,
        "odd": float("nan"),
        "none": None,
    }
    kept, names = without_secrets(outputs)
    assert kept == {
        "node": {"ip": "1.2.3.4", "creds": [{"user": "u"}]},
        "nul": "ab",
        "number": 1.5,
        "odd": "nan",
        "none": None,
    }
    assert names == ["jupyter_password", "node.creds.0.private_key", "node.token"]
    assert secret_values(outputs) == {"jupyter_password": "hunter2", "node.token": "t", "node.creds.0.private_key": "k"}


@pytest.mark.parametrize(
    "value",
    ["javascript:alert(1)", "data:text/html,x", "ftp://host/", "http://", "//host/path", "http://user:pw@host/",
     "http://host/ path", "http://ho\nst/", "http://[::1", "http://host:99999/", " http://host/", 7, None, ["http://h/"]],
)  # fmt: skip
def test_what_is_no_plain_web_address_is_no_link(value: Any) -> None:
    assert web_address(value) == ""


def test_services_have_labels_and_an_order() -> None:
    outputs = {
        "deployment_description": "http is nice",
        "dashboard_url": "https://a.example.org",
        "endpoint": "http://b.example.org",
        "monitor_endpoint": "http://203.0.113.7:10013",
        "deepaas_endpoint": "http://203.0.113.7:10012",
        "jupyter_endpoint": "https://203.0.113.7:10014",
    }
    found = services_of(outputs)
    assert [service.label for service in found] == ["JupyterLab", "DEEPaaS API", "TensorBoard", "Dashboard", "Endpoint"]
    assert [service.plain_http for service in found] == [False, True, True, False, True]


@pytest.mark.parametrize("inner", [{"a": None}, [None]])
def test_what_is_nested_too_deep_is_left_out(inner: Any) -> None:
    outputs: Any = {"token": "t"}
    for _ in range(900):  # json.loads takes as much
        outputs = {"a": outputs} if isinstance(inner, dict) else [outputs]
    kept, names = without_secrets({"deep": outputs, "number": 1})
    assert kept["number"] == 1
    assert json.dumps(kept, ensure_ascii=False).count("…") == 1
    assert names == []
