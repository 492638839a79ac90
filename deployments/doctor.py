"""Do the PaaS services answer."""

from collections.abc import Iterator

from deepdash.config import config
from deepdash.doctor import Finding, answering, certificate, drift, examination, failed_call, ok, warn
from deepdash.http import ServiceError, ServiceSession
from deployments.clients.orchestrator import Orchestrator

OLDEST = "2.3.0"  # the first with /configuration (contract 1.1)
NO_TOKEN = (400, 401, 403)


@examination
def orchestrator() -> Iterator[Finding]:
    if not config.ORCHESTRATOR_URL:
        return  # the configuration checks say so
    verify = config.ORCHESTRATOR_CERT or True
    try:
        info = Orchestrator(None).info()
        answer = ServiceSession("The orchestrator", config.ORCHESTRATOR_URL, verify=verify).get("/info")
    except ServiceError as error:
        yield failed_call("Orchestrator", "ORCHESTRATOR_URL", error)
        return
    if not info.version:
        yield warn("Orchestrator", "It answers, but names no version.", "Check that ORCHESTRATOR_URL leads to it.")
    elif not info.at_least(OLDEST) and not config.IM_URL:
        yield warn(
            "Orchestrator", f"Version {info.version} can't name the other services.", "Set IM_URL and the others."
        )
    else:
        yield ok("Orchestrator", f"Version {info.version} answers.")
    yield from drift("Orchestrator", answer)
    yield from certificate("Orchestrator", config.ORCHESTRATOR_URL, verify)


@examination
def services_beside_it() -> Iterator[Finding]:
    """Each that is configured; without IM_URL the orchestrator names them to users, whose token we don't have."""
    if not config.IM_URL and config.ORCHESTRATOR_URL:
        yield ok("SLAM, CMDB, IM, monitoring", "The orchestrator names them (IM_URL is not set).")
    slam = config.SLAM_URL if config.SLAM_URL.endswith("/rest/slam") else f"{config.SLAM_URL}/rest/slam"
    if config.SLAM_URL:
        yield from answering("SLAM", "SLAM_URL", slam, verify=config.SLAM_CERT or True, path="/preferences",
                             shape=list, accept=NO_TOKEN)  # fmt: skip
    if config.CMDB_URL:
        yield from answering("CMDB", "CMDB_URL", config.CMDB_URL, verify=config.CMDB_CERT or True,
                             path="/service/list", shape=dict, accept=NO_TOKEN)  # fmt: skip
    if config.IM_URL:
        yield from answering("IM", "IM_URL", config.IM_URL, verify=config.IM_CERT or True, path="/version",
                             accept=NO_TOKEN)  # fmt: skip
    if config.MONITORING_URL:
        yield from answering(
            "Monitoring", "MONITORING_URL", config.MONITORING_URL, verify=config.MONITORING_CERT or True,
            path="/monitoring/adapters/zabbix/zones/indigo/types/infrastructure/groups/none/hosts/none",
            shape=dict, accept=(*NO_TOKEN, 404, 409),
        )  # fmt: skip
