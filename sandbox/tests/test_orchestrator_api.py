"""The orchestrator's interface: tokens, lists, visibility, ownership, submissions (contract 1.2 to 1.9)."""

from __future__ import annotations

import re
from typing import Any

import pytest
import requests

from sandbox.testing import SandboxThread
from sandbox.tests.orchestrating import CLOUD, MARATHON, User, message, wait_for

ADA = "6f0f4c1e-5b1a-4f57-9d2b-0a1c7a2e1001"


def bare(user: User, method: str, path: str, **options: Any) -> requests.Response:
    """Call without the user's token."""
    return requests.request(method, f"{user.url}{path}", timeout=10, **options)


class TestTokens:
    def test_without_a_token_everything_but_the_open_paths_is_401(self, ada: User) -> None:
        answer = bare(ada, "GET", "/deployments")
        assert answer.status_code == 401
        assert message(answer) == "Full authentication is required to access this resource"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="oauth", error="unauthorized"')
        assert bare(ada, "GET", "/nowhere").status_code == 401

    def test_a_bad_token_is_echoed_in_body_and_header(self, ada: User) -> None:
        answer = bare(ada, "GET", "/deployments", headers={"Authorization": "bearer not.a.token"})
        assert answer.status_code == 401
        assert message(answer) == "Invalid token: not.a.token"
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
        assert "not.a.token" in answer.headers["WWW-Authenticate"]

    @pytest.mark.parametrize("header", ["bearer {}", "Bearer{}", "BEARER   {}", "Bearer {},more"])
    def test_the_header_may_be_written_in_many_ways(self, ada: User, header: str) -> None:
        answer = bare(ada, "GET", "/deployments", headers={"Authorization": header.format(ada.token)})
        assert answer.status_code == 200

    def test_the_token_may_be_a_parameter(self, ada: User) -> None:
        assert bare(ada, "GET", "/deployments", params={"access_token": ada.token}).status_code == 200

    def test_the_root_greets_anonymous_callers_only(self, ada: User) -> None:
        assert bare(ada, "GET", "/").text == "INDIGO-Orchestrator"
        assert message(ada.get("/")) == "No handler found for GET /"

    def test_info_is_open_and_names_the_version(self, ada: User) -> None:
        assert bare(ada, "GET", "/info").json()["build"]["version"] == "2.9.0-FINAL"

    def test_reading_needs_openid_and_profile(self, fresh: SandboxThread) -> None:
        answer = User(fresh, "ada", ["openid", "email"]).get("/deployments")
        assert answer.status_code == 403
        assert message(answer) == 'Insufficient scope for this resource, scope="openid profile"'

    def test_changing_needs_offline_access(self, fresh: SandboxThread) -> None:
        user = User(fresh, "ada", ["openid", "profile"])
        assert user.get("/deployments").status_code == 200
        answer = user.submit()
        assert answer.status_code == 403
        assert message(answer) == ('Insufficient scope for this resource, scope="offline_access fts:submit-transfer"')
        assert 'scope="offline_access fts:submit-transfer"' in answer.headers["WWW-Authenticate"]

    def test_unknown_paths_and_methods_are_told_in_spring_s_words(self, ada: User) -> None:
        assert message(ada.get("/nowhere")) == "No handler found for GET /nowhere"
        answer = ada.call("DELETE", "/deployments")
        assert answer.status_code == 405
        assert message(answer) == "Request method 'DELETE' not supported"
        assert answer.headers["Allow"] == "GET, POST"

    def test_configuration_names_the_services_of_this_sandbox(self, ada: User, fresh: SandboxThread) -> None:
        urls = ada.get("/configuration").json()
        assert urls["slam_url"] == f"{fresh.url}/slam/rest/slam"
        assert urls["cmdb_url"] == f"{fresh.url}/cmdb"
        assert all(isinstance(url, str) for url in urls.values())


class TestList:
    @pytest.mark.parametrize(
        ("query", "size", "number"),
        [
            ("", 10, 0),
            ("size=9999", 2000, 0),
            ("size=0", 10, 0),
            ("size=-1", 10, 0),
            ("size=x&page=y", 10, 0),
            ("page=-3", 10, 0),
            ("page=77", 10, 77),
        ],
    )
    def test_paging_is_never_an_error(
        self, ada: User, fresh: SandboxThread, query: str, size: int, number: int
    ) -> None:
        fresh.control.seed("ada", 3)
        body = ada.get(f"/deployments?{query}").json()
        pages = 1
        assert body["page"] == {"size": size, "totalElements": 3, "totalPages": pages, "number": number}
        assert len(body["content"]) == (0 if number else 3)

    def test_links_come_in_order_and_only_where_they_lead_somewhere(self, ada: User, fresh: SandboxThread) -> None:
        fresh.control.seed("ada", 25)
        base = f"{fresh.url}/orchestrator/deployments?createdBy=me"
        order = "&size=10&sort=createdAt,desc"
        first = ada.get("/deployments?createdBy=me").json()["links"]
        assert [(link["rel"], link["href"]) for link in first] == [
            ("first", f"{base}&page=0{order}"),
            ("self", f"{base}{{&userGroup}}"),
            ("next", f"{base}&page=1{order}"),
            ("last", f"{base}&page=2{order}"),
        ]
        last = ada.get("/deployments?createdBy=me&page=2").json()
        assert [link["rel"] for link in last["links"]] == ["first", "prev", "self", "last"]
        assert len(last["content"]) == 5

    def test_following_next_sees_every_deployment_once(self, ada: User, fresh: SandboxThread) -> None:
        uuids = fresh.control.seed("ada", 45)
        seen: list[str] = []
        url: str | None = f"{ada.url}/deployments"
        while url:
            body = ada.session.get(url, timeout=10).json()
            seen += [row["uuid"] for row in body["content"]]
            url = next((link["href"] for link in body["links"] if link["rel"] == "next"), None)
        assert seen == uuids[::-1]

    def test_an_empty_list_has_content_and_an_unexpanded_self_link(self, ada: User) -> None:
        body = ada.get("/deployments").json()
        assert body["content"] == []
        assert [link["href"] for link in body["links"]] == [f"{ada.url}/deployments{{?createdBy,userGroup}}"]

    def test_sorting_by_an_unknown_property_is_a_server_error(self, ada: User) -> None:
        assert ada.get("/deployments?sort=creationTime,desc").status_code == 500
        assert ada.get("/deployments?sort=status,asc").status_code == 200

    def test_without_created_by_a_user_sees_their_own(self, ada: User, fresh: SandboxThread) -> None:
        fresh.control.seed("ben", 2)
        fresh.control.seed("ada", 1)
        assert ada.get("/deployments").json()["page"]["totalElements"] == 1

    def test_created_by_takes_me_and_oneself(self, ada: User, fresh: SandboxThread) -> None:
        fresh.control.seed("ada", 1)
        for value in ("me", f"{ADA}@{fresh.url}/iam", f"{ADA}@whatever"):
            assert ada.get("/deployments", params={"createdBy": value}).json()["page"]["totalElements"] == 1

    def test_created_by_somebody_else_is_for_administrators(self, ada: User, fresh: SandboxThread) -> None:
        answer = ada.get("/deployments", params={"createdBy": "other@issuer"})
        assert answer.status_code == 403
        assert message(answer) == "Only admin can retrieve deployments for other@issuer"
        fresh.control.settings(orchestrator_admin_group="ml-users")
        assert ada.get("/deployments", params={"createdBy": "other@issuer"}).status_code == 200
        answer = ada.get("/deployments", params={"createdBy": "nonsense"})
        assert answer.status_code == 400
        assert message(answer) == "Value nonsense for param createdBy is illegal"

    def test_the_group_filters_exactly(self, ada: User) -> None:
        uuid = ada.deploy(userGroup="ml-users")
        ada.deploy()
        rows = ada.get("/deployments?userGroup=ml-users").json()["content"]
        assert [row["uuid"] for row in rows] == [uuid]
        assert rows[0]["userGroup"] == "ml-users"

    def test_two_thousand_come_in_one_page(self, ada: User, fresh: SandboxThread) -> None:
        fresh.control.seed("ada", 2100)
        body = ada.get("/deployments?createdBy=me&page=0&size=9999").json()
        assert len(body["content"]) == 2000
        assert body["page"]["totalPages"] == 2


class TestVisibility:
    def test_another_organisation_gets_404_and_colleagues_may_look(self, ada: User, fresh: SandboxThread) -> None:
        uuid = ada.deploy()
        stranger = User(fresh, "mallory").get(f"/deployments/{uuid}")
        assert stranger.status_code == 404
        assert message(stranger) == f"The deployment <{uuid}> doesn't exist"
        ben = User(fresh, "ben")
        for path in ("", "/template", "/resources"):
            assert ben.get(f"/deployments/{uuid}{path}").status_code == 200

    @pytest.mark.parametrize(
        ("method", "path"),
        [("DELETE", ""), ("PUT", ""), ("PATCH", ""), ("GET", "/log"), ("GET", "/extrainfo")],
    )
    def test_only_the_owner_changes_a_deployment_and_reads_its_log(
        self, ada: User, fresh: SandboxThread, method: str, path: str
    ) -> None:
        uuid = ada.deploy()
        body = {"template": MARATHON, "status": "DELETE_FAILED"}
        options = {} if method in ("GET", "DELETE") else {"json": body}
        answer = User(fresh, "ben").call(method, f"/deployments/{uuid}{path}", **options)
        assert answer.status_code == 403
        assert message(answer) == "Only the owner of the deployment can perform this operation"
        assert User(fresh, "mallory").call(method, f"/deployments/{uuid}{path}", **options).status_code == 404


class TestSubmission:
    def test_the_answer_is_the_deployment_without_what_is_not_known_yet(self, ada: User) -> None:
        answer = ada.call("POST", "/deployments/", json={"template": CLOUD, "callback": "http://127.0.0.1:9/cb"})
        assert answer.status_code == 201
        assert "Location" not in answer.headers
        body = answer.json()
        assert list(body) == [
            "uuid", "creationTime", "updateTime", "status", "outputs", "task", "callback", "createdBy", "links",
        ]  # fmt: skip
        assert (body["status"], body["task"], body["outputs"]) == ("CREATE_IN_PROGRESS", "NONE", {})
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d\+0000", body["creationTime"])
        assert re.fullmatch(r"1[0-9a-f]{7}-[0-9a-f]{4}-[0-9a-f]{4}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", body["uuid"])
        assert body["createdBy"]["subject"] == ADA
        assert [link["rel"] for link in body["links"]] == ["self", "resources", "template"]

    def test_uuids_sort_by_time(self, fresh: SandboxThread) -> None:
        uuids = fresh.control.seed("ada", 50)
        assert uuids == sorted(uuids)

    def test_strings_are_taken_for_any_type_and_unknown_names_are_ignored(self, ada: User) -> None:
        answer = ada.submit(inputs={"num_gpus": "0", "nobody_knows": [1]}, keepLastAttempt="true", keepLastAttemp=1)
        assert answer.status_code == 201

    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            ({}, "A TOSCA template must be provided"),
            ({"template": CLOUD, "callback": "ftp://x"}, "must be a valid HTTP or HTTPS URL"),
            ({"template": CLOUD, "timeoutMins": 0}, "Overall timeout value, if provided, must be at least of 1 minute"),
            ({"template": CLOUD, "providerTimeoutMins": 0}, "equal or less than timeoutMins"),
            ({"template": CLOUD, "timeoutMins": 5, "providerTimeoutMins": 6}, "ProviderTimeout must be <= Timeout"),
            (
                {"template": CLOUD, "maxProvidersRetry": 0},
                "maxProvidersRetry value, if provided, must be at least of 1",
            ),
            ({"template": CLOUD, "parameters": None}, "parameters"),
            ({"template": CLOUD, "parameters": []}, "JSON parse error"),
            ({"template": {}}, "JSON parse error"),
            ({"template": CLOUD, "timeoutMins": "soon"}, "JSON parse error"),
            ([], "JSON parse error"),
        ],
    )
    def test_bad_bodies_are_400(self, ada: User, body: object, expected: str) -> None:
        answer = ada.call("POST", "/deployments", json=body)
        assert answer.status_code == 400
        assert expected in (message(answer) or "")

    def test_bodies_that_are_no_json_are_refused(self, ada: User) -> None:
        json_type = {"Content-Type": "application/json"}
        assert ada.call("POST", "/deployments", data=b"{", headers=json_type).status_code == 400
        assert ada.call("POST", "/deployments", data=b"", headers=json_type).status_code == 400
        assert ada.call("POST", "/deployments", data=b"x", headers={"Content-Type": "text/plain"}).status_code == 415
        assert ada.get("/deployments", headers={"Accept": "image/png"}).status_code == 406

    def test_a_required_input_must_be_there(self, ada: User) -> None:
        answer = ada.call("POST", "/deployments", json={"template": MARATHON})
        assert answer.status_code == 400
        assert message(answer) == (
            "Input <docker_image> is required and is not present in the user's input list, nor has a default value"
        )

    def test_an_unset_input_that_is_used_is_named_with_its_place(self, ada: User) -> None:
        used = MARATHON.replace(
            "properties: {command: {get_input: run_command}}", "properties: {a: [{get_input: unset}]}"
        )
        answer = ada.submit(used)
        assert answer.status_code == 400
        assert message(answer) == (
            "Failed to evaluate node_templates[marathon][properties][a][0][get_input][unset]: "
            "No input provided for <unset> and no default value provided in the definition"
        )

    @pytest.mark.parametrize(
        "template",
        [
            "a: [",
            "",
            "just words",
            "topology_template: {node_templates: {n: {type: t}}}",
            "tosca_definitions_version: tosca_simple_yaml_1_0",
            "{tosca_definitions_version: t, topology_template: {node_templates: []}}",
            "{tosca_definitions_version: t, topology_template: {node_templates: {n: {}}}}",
            "{tosca_definitions_version: t, topology_template: {inputs: [], node_templates: {n: {type: t}}}}",
            "[" * 30_000,
            "a: &a [x]\nb: [" + "*a," * 100 + "]",
            "!!python/object/apply:os.getcwd []",
        ],
    )
    def test_a_template_that_does_not_parse_is_400(self, ada: User, template: str) -> None:
        answer = ada.submit(template)
        assert answer.status_code == 400
        lines = (message(answer) or "").split("\n")
        assert lines[0] == "Error parsing TOSCA template template:"
        assert len(lines) > 1

    def test_a_loop_of_nodes_is_a_server_error(self, ada: User) -> None:
        loop = CLOUD.replace(
            "type: tosca.nodes.indigo.Compute",
            "type: tosca.nodes.indigo.Compute\n      requirements: [{host: software}]",
        )
        answer = ada.submit(loop)
        assert answer.status_code == 500
        assert message(answer) == (
            "Found node depencency loop in TOSCA topology; involved nodes: [software, simple_node]"
        )

    def test_the_template_comes_back_as_it_was_sent(self, ada: User) -> None:
        uuid = ada.deploy(MARATHON + "# a comment, ünïcode\n")
        answer = ada.get(f"/deployments/{uuid}/template")
        assert answer.headers["Content-Type"] == "text/plain;charset=UTF-8"
        assert answer.text == MARATHON + "# a comment, ünïcode\n"
        labelled = ada.get(f"/deployments/{uuid}/template", headers={"Accept": "application/json"})
        assert labelled.headers["Content-Type"] == "application/json;charset=UTF-8"
        assert labelled.text == answer.text


class TestVersions:
    def test_an_old_server_lacks_what_came_later(self, ada: User, fresh: SandboxThread) -> None:
        fresh.control.settings(orchestrator_version="2.1.1-FINAL")
        fresh.control.seed("ben", 1)
        uuid = ada.deploy(userGroup="ml-users")
        ada.wait(uuid, "CREATE_COMPLETE")
        body = ada.show(uuid)
        assert "cloudProviderEndpoint" not in body
        assert "userGroup" not in body
        assert body["cloudProviderName"]
        assert body["links"][1]["href"].endswith("/resources")
        for path in ("/configuration", f"/deployments/{uuid}/log", f"/deployments/{uuid}/extrainfo"):
            assert ada.get(path).status_code == 404
        assert ada.call("PATCH", f"/deployments/{uuid}", json={}).status_code == 405
        # Without createdBy it showed everything of the organisation.
        assert ada.get("/deployments").json()["page"]["totalElements"] == 2

    def test_a_new_server_checks_groups_and_shows_across_organisations(self, ada: User, fresh: SandboxThread) -> None:
        fresh.control.settings(orchestrator_version="4.0.1")
        uuid = ada.deploy(userGroup="ml-users")
        assert User(fresh, "mallory").get(f"/deployments/{uuid}").status_code == 200
        assert message(ada.submit(userGroup="physics")) == "The group physics is not in the user's authorized groups"
        assert ada.get("/deployments?userGroup=physics").status_code == 403
        assert message(User(fresh, "nora").submit()) == ("User's token does not contain a group claim or it is empty")
        assert ada.wait(uuid, "CREATE_COMPLETE")["cloudProviderEndpoint"]["region"] == "RegionOne"

    def test_force_deletes_what_would_not_go_only_on_a_new_server(self, ada: User, fresh: SandboxThread) -> None:
        uuid = ada.finished(inputs={"deployment_description": "sandbox-nodelete"})["uuid"]
        ada.call("DELETE", f"/deployments/{uuid}?force=true")
        ada.wait(uuid, "DELETE_FAILED")
        fresh.control.settings(orchestrator_version="4.0.1")
        ada.call("DELETE", f"/deployments/{uuid}?force=True")
        ada.wait_gone(uuid)


class TestControl:
    def test_a_forced_state_stays(self, ada: User, fresh: SandboxThread) -> None:
        uuid = ada.deploy()
        forced = fresh.control.force(uuid, "UPDATE_FAILED", "because")
        assert (forced["status"], forced["statusReason"]) == ("UPDATE_FAILED", "because")
        assert ada.show(uuid)["status"] == "UPDATE_FAILED"

    def test_a_deployment_forced_to_completion_has_all_it_would_have(self, ada: User, fresh: SandboxThread) -> None:
        uuid = ada.deploy(inputs={"deployment_description": "sandbox-stuck"})
        fresh.control.force(uuid, "CREATE_COMPLETE")
        body = ada.show(uuid)
        assert body["cloudProviderName"]
        assert body["physicalId"] == uuid
        endpoint = body["outputs"]["deepaas_endpoint"]

        def answers() -> bool:
            try:
                return requests.get(endpoint, timeout=30).ok
            except requests.ConnectionError:
                return False

        wait_for(answers, "DEEPaaS")

    def test_seeded_deployments_have_the_states_asked_for(self, ada: User, fresh: SandboxThread) -> None:
        fresh.control.seed("ada", 4, ["CREATE_COMPLETE", "DELETE_FAILED"])
        rows = ada.get("/deployments").json()["content"]
        assert sorted(row["status"] for row in rows) == ["CREATE_COMPLETE"] * 2 + ["DELETE_FAILED"] * 2

    def test_a_state_that_is_none_is_refused(self, ada: User, fresh: SandboxThread) -> None:
        with pytest.raises(requests.HTTPError, match="400"):
            fresh.control.seed("ada", 1, ["SLEEPING"])
        with pytest.raises(requests.HTTPError, match="400"):
            fresh.control.force(ada.deploy(), "SLEEPING")
