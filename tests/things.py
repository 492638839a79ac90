"""One of everything a user can have, in the database of a test: what the walks over all addresses walk over."""

from accounts.models import User
from accounts.testing import give_token, make_user
from catalog.testing import make_module, make_template
from deployments.models import Deployment, Notice, StorageAccount, TrainingBatch
from deployments.trainings.testing import make_api, make_training
from tests.addresses import RUN, SAMPLES, UUID

SECRET = "Ada's own title"
RAW = """\
tosca_definitions_version: tosca_simple_yaml_1_0
topology_template:
  inputs:
    docker_image: {type: string, required: yes}
    num_cpus: {type: integer, default: 1}
    rclone_url: {type: string, default: ""}
    rclone_user: {type: string, default: ""}
    rclone_password: {type: string, default: ""}
    rclone_vendor: {type: string, default: nextcloud}
  node_templates:
    app: {type: tosca.nodes.indigo.Container.Application.Docker.Marathon}
"""


def adas_things() -> tuple[User, Deployment]:
    """Ada with a token, a module, and a deployment with trainings, a batch, a storage account and a notice.

    Their identifiers are the samples of ``tests.addresses``; every text of hers holds SECRET.
    """
    ada = make_user("ada")
    give_token(ada)
    make_module(slug=SAMPLES["slug"], templates=(make_template(RAW),))
    deployment = make_api(
        ada, uuid=UUID, title=SECRET, note=SECRET, module_slug=SAMPLES["slug"], template_text=RAW, inputs={"a": SECRET},
        deployment_kind="OPENSTACK", secret_outputs=["token"],
    )  # fmt: skip
    make_training(deployment, key=RUN, arguments={"note": SECRET})
    TrainingBatch.objects.create(key=RUN, owner=ada, deployment=deployment, model="plants", reason=SECRET)
    StorageAccount.objects.create(
        pk=1,
        owner=ada,
        label=SECRET,
        url="https://cloud.example.org/dav/",
        user_name=SECRET,
        password="x",
    )
    Notice.objects.create(pk=1, user=ada, deployment=deployment, kind="ready", cause="walk", headline=SECRET)
    return ada, deployment
