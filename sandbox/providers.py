"""The sites of the sandbox's federation: one table for SLAM, CMDB, monitoring and the orchestrator."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

MARATHON = "eu.indigo-datacloud.marathon"
CHRONOS = "eu.indigo-datacloud.chronos"
NOVA = "org.openstack.nova"


@dataclass(frozen=True)
class Service:
    """A compute service of a site with the agreement (SLA) that opens it.

    ``deployment_type`` is the orchestrator's word for it (contract 1.7), ``weight`` its place in the
    preferences, ``dates`` the term of the agreement as SLAM prints it, ``data`` what CMDB adds to the fields
    every site has.
    """

    site: str
    service_id: str
    service_type: str
    deployment_type: str
    sla_id: str
    hostname: str
    endpoint: str
    weight: float
    dates: tuple[str | None, str | None]
    gpus: int
    targets: tuple[dict[str, Any], ...]
    data: dict[str, Any]
    named_provider: bool = True

    @property
    def provider_id(self) -> str:
        return f"provider-{self.site}"


def _target(kind: str, unit: str | None, **restrictions: int) -> dict[str, Any]:
    return {"type": kind, "unit": unit, "restrictions": restrictions}


NORDIC = Service(
    site="NORDIC-ML",
    service_id="NORDIC-ML_2f6c1b0a-52d4-4c1e-9a37-5d1c0e8f7a11",
    service_type=MARATHON,
    deployment_type="MARATHON",
    sla_id="5f0dab12cd34ef56ab78cd90",
    hostname="mesos.nordic-ml.example.org",
    endpoint="https://mesos.nordic-ml.example.org/marathon",
    weight=1.0,
    dates=("Tue Nov 10 23:00:00 UTC 2020", "Wed Nov 10 23:00:00 UTC 2027"),
    gpus=8,
    targets=(
        _target(
            "computing_time",
            "h",
            total_guaranteed=1000,
            total_limit=10000,
            instance_guaranteed=1,
            instance_limit=72,
            user_guaranteed=20,
            user_limit=200,
        ),
        _target("public_ip", None, total_limit=4),
        # A metric of the site's own, beside those that the rules shipped with SLAM define.
        _target("num_gpus", None, total_limit=6, user_limit=3, instance_limit=2),
    ),
    data={
        "region": "RegionOne",
        "iam_enabled": True,
        "is_public_service": True,
        "public_ip_assignable": True,
        "supported_idps": [{"name": "sandbox-iam", "issuer": "https://iam.example.org/", "protocol": "openid"}],
        "idp_protocol": "openid",
        "volume_types": ["ssd"],
        "tenant": "ml",
        "service_parent_id": None,
        "properties": {
            "gpu_support": True,
            "num_gpus": 8,
            "num_cpus": 128,
            "mem_total": 524288,
            "gpu_vendor": "nvidia",
            "gpu_model": "T4",
            "load_balancer_ips": ["203.0.113.7"],
            "persistent_storage_drivers": ["rexray"],
            "local_volumes_host_base_path": "/data",
            "secrets_support": False,
        },
    },
)
# An older registration: no region, no tenant, and GPU support said to be absent instead of not being said.
ALPINE = Service(
    site="ALPINE-CLOUD",
    service_id="ALPINE-CLOUD_7b90d3e4-1f22-4b6d-8c05-92aa61f0c3b8",
    service_type=MARATHON,
    deployment_type="MARATHON",
    sla_id="5f0dab12cd34ef56ab78cd91",
    hostname="mesos.alpine-cloud.example.org",
    endpoint="https://mesos.alpine-cloud.example.org/marathon",
    weight=0.75,
    dates=("Mon Jan 10 23:00:00 UTC 2022", "Sun Jan 10 23:00:00 UTC 2027"),
    gpus=0,
    targets=(_target("computing_time", "h", total_guaranteed=10, total_limit=100, user_limit=10),),
    data={
        "iam_enabled": True,
        "is_public_service": False,
        "supported_idps": [{"name": "sandbox-iam", "issuer": "https://iam.example.org/", "protocol": "openid"}],
        "properties": {
            "gpu_support": False,
            "num_cpus": 64,
            "mem_total": 262144,
            "load_balancer_ips": ["203.0.113.40", "203.0.113.41"],
        },
    },
)
ALPINE_JOBS = Service(
    site="ALPINE-CLOUD",
    service_id="ALPINE-CLOUD_c4f1a8d2-6e07-4d19-b3f4-08c7715e9d60",
    service_type=CHRONOS,
    deployment_type="CHRONOS",
    sla_id="5f0dab12cd34ef56ab78cd92",
    hostname="mesos.alpine-cloud.example.org",
    endpoint="https://mesos.alpine-cloud.example.org/chronos",
    weight=0.5,
    dates=("Mon Jan 10 23:00:00 UTC 2022", None),
    gpus=0,
    targets=(),
    data={"iam_enabled": True, "properties": {"num_cpus": 64}},
)
# Registered before most fields existed: identity providers are bare strings, nothing is said of IAM.
COAST = Service(
    site="COAST-STACK",
    service_id="COAST-STACK_a1d7e6f5-8b34-47c2-90ee-3c5b6f7d2418",
    service_type=NOVA,
    deployment_type="OPENSTACK",
    sla_id="5f0dab12cd34ef56ab78cd93",
    hostname="stack.coast.example.org",
    endpoint="https://stack.coast.example.org:5000/v3",
    weight=0.25,
    dates=("11.01.2016+15:50:00", "11.01.2028+15:50:00"),
    gpus=0,
    targets=(
        _target("public_ip", None, total_limit=10, user_limit=2),
        _target("num_cpus", None, total_limit=200, instance_limit=16),
    ),
    data={
        "region": "coast-1",
        "supported_idps": ["https://iam.example.org/"],
        "PRIMARY_KEY": "4711G0",
        "BETA": "N",
    },
)
HARBOUR = Service(
    site="HARBOUR-LAB",
    service_id="HARBOUR-LAB_0e5b9c77-24a1-4f83-a6d9-b7e2c41f6035",
    service_type=MARATHON,
    deployment_type="MARATHON",
    sla_id="5f0dab12cd34ef56ab78cda0",
    hostname="mesos.harbour-lab.example.org",
    endpoint="https://mesos.harbour-lab.example.org/marathon",
    weight=0.0,
    dates=(None, None),
    gpus=0,
    targets=(),
    data={"properties": {"load_balancer_ips": ["203.0.113.90"]}},
    named_provider=False,
)

# A large federation, to see and measure what twenty agreements do to a page.
FEDERATION: tuple[Service, ...] = tuple(
    replace(
        NORDIC,
        site=f"SITE-{number:02}",
        service_id=f"SITE-{number:02}_9d2e4b60-7f31-4a58-8c1d-0000000000{number:02}",
        sla_id=f"5f0dab12cd34ef56ab79{number:04x}",
        hostname=f"mesos.site-{number:02}.example.org",
        endpoint=f"https://mesos.site-{number:02}.example.org/marathon",
        weight=round(1 - number / 40, 3),
    )
    for number in range(1, 21)
)

ALL: tuple[Service, ...] = (NORDIC, ALPINE, ALPINE_JOBS, COAST, HARBOUR, *FEDERATION)
BY_ID: dict[str, Service] = {service.service_id: service for service in ALL}
# Organisations and groups SLAM knows; the curators are known but have signed nothing.
CUSTOMERS: dict[str, tuple[Service, ...]] = {
    "indigo-dc": (NORDIC, ALPINE, ALPINE_JOBS, COAST),
    "ml-users": (NORDIC, ALPINE, ALPINE_JOBS, COAST),
    "deepdash-curators": (),
    "other-lab": (HARBOUR,),
    "federation": FEDERATION,
}
