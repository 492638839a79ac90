"""The tabs of a deployment: its template and its log."""

from typing import Any

import pytest
import responses
from django.test import Client

from accounts.models import User
from deployments.testing import make_deployment
from deployments.tests.conftest import IM
from deployments.tests.test_pages import HTMX, text
from deployments.tests.test_services import LIST


class TestTemplateAndLog:
    def test_the_template_as_sent(self, browser: Client, owner: User, services: None) -> None:
        mine = make_deployment(owner, template_text="a: <b>\n", title='Ünï "x"\n')
        assert "</span>: &lt;b&gt;" in text(browser.get(f"/deployments/{mine.uuid}/template"))
        raw = browser.get(f"/deployments/{mine.uuid}/template?raw=1")
        assert raw.content == b"a: <b>\n"
        assert raw.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert raw.headers["Content-Disposition"] == 'attachment; filename="uni-x.yml"'

    def test_of_one_made_elsewhere_the_orchestrator_has_it(
        self, browser: Client, owner: User, wire: responses.RequestsMock
    ) -> None:
        mine = make_deployment(owner, submission_key=None)
        wire.get(f"{LIST}/{mine.uuid}/template", body="node: x")
        assert ">node</span>: x" in text(browser.get(f"/deployments/{mine.uuid}/template"))
        wire.replace(responses.GET, f"{LIST}/{mine.uuid}/template", status=503)
        assert "reports a fault" in text(browser.get(f"/deployments/{mine.uuid}/template"))
        assert browser.get(f"/deployments/{mine.uuid}/template?raw=1").status_code == 502

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"deployment_kind": "MARATHON", "provider_name": "p"}, "No log for this kind"),
            ({"deployment_kind": "OPENSTACK", "provider_name": ""}, "No log yet"),
            ({"status": "GONE"}, "It is gone"),
        ],
    )
    def test_where_there_is_no_log_nobody_is_asked(
        self, fields: dict[str, Any], words: str, browser: Client, owner: User, wire: responses.RequestsMock
    ) -> None:
        mine = make_deployment(owner, **fields)
        assert words in text(browser.get(f"/deployments/{mine.uuid}/log?fresh=1"))
        assert len(wire.calls) == 0

    def test_a_log_follows_the_page(self, browser: Client, owner: User, wire: responses.RequestsMock) -> None:
        mine = make_deployment(owner, deployment_kind="OPENSTACK", provider_name="p")
        page = text(browser.get(f"/deployments/{mine.uuid}/log"))
        assert f'hx-get="/deployments/{mine.uuid}/log" hx-trigger="load"' in page
        wire.get(f"{LIST}/{mine.uuid}/log", body="TASK ok <b>\npassword: hunter2hunter2")
        fragment = text(browser.get(f"/deployments/{mine.uuid}/log", headers=HTMX))
        assert "TASK ok &lt;b&gt;" in fragment
        assert "hunter2" not in fragment
        assert (
            browser.get(f"/deployments/{mine.uuid}/log?raw=1").headers["Content-Disposition"].startswith("attachment")
        )

    def test_old_orchestrators_have_no_log_but_im_has(
        self, browser: Client, owner: User, wire: responses.RequestsMock
    ) -> None:
        mine = make_deployment(owner, deployment_kind="OPENSTACK", provider_name="p", physical_id="i1")
        wire.get(f"{LIST}/{mine.uuid}/log", status=404)
        wire.get(f"{IM}/infrastructures/i1/contmsg", body="from IM")
        assert "from IM" in text(browser.get(f"/deployments/{mine.uuid}/log?fresh=1"))
