"""The control API, the front page, and webhook deliveries."""

from __future__ import annotations

import hashlib
import hmac
import json
from urllib.parse import parse_qs

import jwt
import pytest
import requests

from sandbox.testing import SandboxThread
from sandbox.tests.conftest import Listener

SECRET = "sh"


class TestSummary:
    def test_it_names_addresses_people_and_settings(self, fresh: SandboxThread) -> None:
        summary = fresh.control.call("GET", "/")
        assert summary["addresses"]["orchestrator"] == f"{fresh.url}/orchestrator"
        assert {person["key"] for person in summary["people"]} == {"ada", "ben", "mallory", "nora", "grace", "olu"}
        assert summary["settings"]["token_lifetime"] == 3600
        assert summary["speed"] == 50

    def test_the_front_page_is_for_people(self, fresh: SandboxThread) -> None:
        page = requests.get(f"{fresh.url}/", timeout=10)
        assert page.headers["Content-Type"].startswith("text/html")
        assert "Grace Hopper" in page.text
        assert f"{fresh.url}/orchestrator" in page.text
        assert "<script" not in page.text


class TestSettings:
    def test_changes_hold_until_the_reset(self, fresh: SandboxThread) -> None:
        fresh.control.settings(token_lifetime=120, speed=7)
        assert 100 <= fresh.control.tokens("ada")["expires_in"] <= 120
        fresh.control.reset()
        assert fresh.control.tokens("ada")["expires_in"] > 3000
        assert fresh.control.call("GET", "/")["speed"] == 50

    @pytest.mark.parametrize(
        "changes",
        [
            {"speed": 0},
            {"speed": True},
            {"token_lifetime": "long"},
            {"token_lifetime": True},
            {"rotate_refresh_tokens": 1},
            {"provider_work": -1},
            {"unheard_of": 1},
        ],
    )
    def test_nonsense_changes_nothing(self, fresh: SandboxThread, changes: dict[str, object]) -> None:
        before = fresh.control.call("GET", "/")["settings"]
        with pytest.raises(requests.HTTPError, match="400"):
            fresh.control.call("PUT", "/settings", {"code_lifetime": 1, **changes})
        assert fresh.control.call("GET", "/")["settings"] == before


class TestTokens:
    def test_tokens_can_be_had_without_a_browser(self, fresh: SandboxThread) -> None:
        tokens = fresh.control.tokens("ben", scopes=["openid", "profile"])
        claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
        assert claims["scope"] == "openid profile"
        assert "refresh_token" not in tokens
        userinfo = requests.get(
            f"{fresh.url}/iam/userinfo",
            headers={"Authorization": f"Bearer {tokens['access_token']}"},
            timeout=10,
        )
        assert userinfo.json()["name"] == "Ben Okafor"

    def test_unknown_people_and_scopes_are_refused(self, fresh: SandboxThread) -> None:
        with pytest.raises(requests.HTTPError, match="404"):
            fresh.control.tokens("nobody")
        with pytest.raises(requests.HTTPError, match="400"):
            fresh.control.tokens("ada", scopes=["admin"])
        with pytest.raises(requests.HTTPError, match="404"):
            fresh.control.revoke("nobody")

    def test_revoking_one_person_leaves_the_others(self, fresh: SandboxThread) -> None:
        ada, ben = fresh.control.bearer("ada"), fresh.control.bearer("ben")
        fresh.control.revoke("ada")
        url = f"{fresh.url}/iam/userinfo"
        assert requests.get(url, headers=ada, timeout=10).status_code == 401
        assert requests.get(url, headers=ben, timeout=10).status_code == 200
        assert requests.get(url, headers=fresh.control.bearer("ada"), timeout=10).status_code == 200


class TestCatalogue:
    @pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", ".git/config", "", "a//b"])
    def test_a_path_outside_the_repository_is_refused(self, fresh: SandboxThread, path: str) -> None:
        with pytest.raises(requests.HTTPError, match="400"):
            fresh.control.push(path, "x")

    def test_a_module_can_break_vanish_and_come_back(self, fresh: SandboxThread) -> None:
        url = f"{fresh.url}/github/lab/module/master/metadata.json"
        fresh.control.module("lab/module", metadata="{not json")
        assert requests.get(url, timeout=10).text == "{not json"
        fresh.control.module("lab/module", metadata=None)
        assert requests.get(url, timeout=10).status_code == 404
        fresh.control.module("lab/module", metadata="{}")
        fresh.control.module("lab/module", tags=["one"])
        assert requests.get(url, timeout=10).text == "{}"
        with pytest.raises(requests.HTTPError, match="400"):
            fresh.control.module("lab/module", titel="x")
        with pytest.raises(requests.HTTPError, match="400"):
            fresh.control.module("lab/module", tags=[{"size": 1}])


class TestForeignPages:
    def test_another_site_cannot_drive_the_sandbox_through_a_browser(self, fresh: SandboxThread) -> None:
        url = f"{fresh.url}/control/reset"
        foreign = {"Origin": "http://evil.example.org"}
        assert requests.post(url, headers=foreign, timeout=10).status_code == 403
        assert requests.post(url, headers={"Origin": fresh.url}, timeout=10).status_code == 200


class TestWebhook:
    def test_a_push_is_signed_over_the_bytes_sent(self, fresh: SandboxThread, listener: Listener) -> None:
        commit = fresh.control.push("deep-oc/hooked.yml", "a: 1\n")
        answer = fresh.control.webhook(listener.url, SECRET, modified=["deep-oc/hooked.yml"])
        assert (answer["status"], answer["body"]) == (202, "accepted")
        ((headers, body),) = listener.received
        sha256 = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        assert headers["X-Hub-Signature-256"] == f"sha256={sha256}"
        assert headers["X-Hub-Signature"] == f"sha1={hmac.new(SECRET.encode(), body, hashlib.sha1).hexdigest()}"
        assert headers["X-GitHub-Event"] == "push"
        assert headers["X-GitHub-Delivery"] == answer["delivery"]
        payload = json.loads(body)
        assert payload["after"] == payload["head_commit"]["id"] == commit
        assert payload["ref"] == "refs/heads/master"
        assert payload["repository"]["full_name"] == "indigo-dc/tosca-templates"
        assert payload["commits"][0]["modified"] == ["deep-oc/hooked.yml"]

    def test_a_ping_has_no_commits(self, fresh: SandboxThread, listener: Listener) -> None:
        fresh.control.webhook(listener.url, SECRET, event="ping", delivery="the-same-again")
        ((headers, body),) = listener.received
        assert headers["X-GitHub-Event"] == "ping"
        assert headers["X-GitHub-Delivery"] == "the-same-again"
        assert json.loads(body)["hook"]["config"]["url"] == listener.url

    def test_a_deleted_branch_has_no_head(self, fresh: SandboxThread, listener: Listener) -> None:
        fresh.control.webhook(listener.url, SECRET, deleted=True)
        payload = json.loads(listener.received[0][1])
        assert (payload["after"], payload["head_commit"], payload["commits"]) == ("0" * 40, None, [])

    def test_a_form_carries_the_payload_in_a_field(self, fresh: SandboxThread, listener: Listener) -> None:
        fresh.control.webhook(listener.url, SECRET, form=True)
        ((headers, body),) = listener.received
        assert headers["Content-Type"] == "application/x-www-form-urlencoded"
        assert json.loads(parse_qs(body.decode())["payload"][0])["ref"] == "refs/heads/master"
        sha256 = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        assert headers["X-Hub-Signature-256"] == f"sha256={sha256}"

    def test_signatures_can_be_wrong_old_or_missing(self, fresh: SandboxThread, listener: Listener) -> None:
        for signature in ("wrong", "sha1", "none"):
            fresh.control.webhook(listener.url, SECRET, signature=signature)
        fresh.control.webhook(listener.url, "")
        wrong, old, none, no_secret = listener.received
        sha256 = hmac.new(SECRET.encode(), wrong[1], hashlib.sha256).hexdigest()
        assert wrong[0]["X-Hub-Signature-256"] != f"sha256={sha256}"
        assert "X-Hub-Signature-256" not in old[0]
        assert "X-Hub-Signature" in old[0]
        for headers, _ in (none, no_secret):
            assert not {"X-Hub-Signature", "X-Hub-Signature-256"} & set(headers)

    def test_a_receiver_that_is_not_there_is_502(self, fresh: SandboxThread) -> None:
        with pytest.raises(requests.HTTPError, match="502"):
            fresh.control.webhook("http://127.0.0.1:9/reload", SECRET)

    def test_it_calls_nobody_but_the_dashboard(self, fresh: SandboxThread) -> None:
        with pytest.raises(requests.HTTPError, match="400"):
            fresh.control.webhook("http://example.org/reload", SECRET)

    @pytest.mark.parametrize("wrong", [{"event": "star"}, {"signature": "odd"}, {"color": "red"}])
    def test_nonsense_is_refused(self, fresh: SandboxThread, listener: Listener, wrong: dict[str, str]) -> None:
        with pytest.raises(requests.HTTPError, match="400"):
            fresh.control.webhook(listener.url, SECRET, **wrong)
        assert listener.received == []


class TestDeployments:
    def test_seeded_deployments_belong_to_the_person(self, fresh: SandboxThread) -> None:
        uuids = fresh.control.seed("ada", 3, ["CREATE_COMPLETE"])
        page = requests.get(
            f"{fresh.url}/orchestrator/deployments?createdBy=me",
            headers=fresh.control.bearer("ada"),
            timeout=10,
        ).json()
        assert {item["uuid"] for item in page["content"]} == set(uuids)
        assert len(set(uuids)) == 3

    def test_two_thousand_are_seeded_by_one_request(self, fresh: SandboxThread) -> None:
        assert len(set(fresh.control.seed("ada", 2000))) == 2000

    def test_a_state_can_be_forced(self, fresh: SandboxThread) -> None:
        (uuid,) = fresh.control.seed("ada", 1)
        forced = fresh.control.force(uuid, "CREATE_FAILED", "The site burned down")
        assert (forced["status"], forced["statusReason"]) == ("CREATE_FAILED", "The site burned down")

    def test_outputs_can_lead_elsewhere(self, fresh: SandboxThread) -> None:
        (uuid,) = fresh.control.seed("ada", 1, ["CREATE_COMPLETE"])
        before = fresh.control.force(uuid, "CREATE_COMPLETE")["outputs"]
        forced = fresh.control.force(uuid, "CREATE_COMPLETE", deepaas_endpoint="http://127.0.0.1:9")
        assert forced["outputs"] == {**before, "deepaas_endpoint": "http://127.0.0.1:9"}

    def test_nonsense_is_refused(self, fresh: SandboxThread) -> None:
        (uuid,) = fresh.control.seed("ada", 1)
        for method, path, body, status in (
            ("POST", "/deployments", {"person": "ada", "count": 0}, "400"),
            ("POST", "/deployments", {"person": "ada", "statuses": ["BORED"]}, "400"),
            ("POST", "/deployments", {"person": "nobody"}, "404"),
            ("PUT", f"/deployments/{uuid}", {"status": "BORED"}, "400"),
            ("PUT", f"/deployments/{uuid}", {}, "400"),
            ("PUT", f"/deployments/{uuid}", {"status": "UNKNOWN", "outputs": ["none"]}, "400"),
            ("PUT", "/deployments/none-such", {"status": "UNKNOWN"}, "404"),
        ):
            with pytest.raises(requests.HTTPError, match=status):
                fresh.control.call(method, path, body)
