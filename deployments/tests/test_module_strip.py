"""A module's page shows the user's own deployments of it; how often it is used sorts the catalogue."""

import uuid

import pytest
from django.test import Client

from accounts.testing import make_user
from catalog.models import Module
from catalog.testing import make_module, make_template
from deployments.tasks import count_uses
from deployments.testing import make_deployment

pytestmark = pytest.mark.django_db


def test_the_strip_shows_ones_own_deployments_of_the_module_alone(client: Client) -> None:
    make_template()
    module = make_module()
    ada, ben = make_user("ada"), make_user("ben")
    make_deployment(ada, title="Mine", module=module, module_slug=module.slug, submission_key=uuid.uuid4(),
                    choices={"hardware": "gpu", "docker_tag": "gpu"})  # fmt: skip
    make_deployment(ada, title="Other module", module_slug="other")
    make_deployment(ben, title="Theirs", module_slug=module.slug)
    client.force_login(ada)
    page = client.get(f"/modules/{module.slug}").text
    assert f'hx-get="/modules/{module.slug}/deployments"' in page
    strip = client.get(f"/modules/{module.slug}/deployments").text
    assert "Mine" in strip
    assert "Theirs" not in strip
    assert "Other module" not in strip
    assert f"/module/{module.slug}?hardware=gpu" in strip
    assert client.get("/modules/nowhere/deployments").text.strip() == ""


def test_uses_are_counted_and_sort_the_catalogue(client: Client) -> None:
    rare, often = make_module("a-rare"), make_module("b-often")
    ada = make_user("ada")
    for module in (rare, often, often):
        make_deployment(ada, module=module, module_slug=module.slug, submission_key=uuid.uuid4())
    make_deployment(ada, module=rare, module_slug=rare.slug, submission_key=None)
    count_uses()
    assert dict(Module.objects.values_list("slug", "times_used")) == {"a-rare": 1, "b-often": 2}
    page = client.get("/?sort=used").text
    assert page.index("/modules/b-often") < page.index("/modules/a-rare")
