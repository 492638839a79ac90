"""The contextualisation log of an infrastructure: what was done to it so far (contract 4.2)."""

from __future__ import annotations

from sandbox.orchestrator.deployment import Deployment, timestamp

_STEPS = (
    "Creating the infrastructure: 1 VM requested",
    "VM 0 is running, waiting for SSH",
    "Wait for the infrastructure to be in running state: done",
    "Ansible installed successfully in the VM with IP: 203.0.113.9",
    "PLAY [allnowindows] ***********************************************************",
    "TASK [Gathering Facts] ********************************************************\nok: [simple_node]",
    "TASK [Check if python is installed] *******************************************\nok: [simple_node]",
    "TASK [Copy the /etc/hosts] ****************************************************\nchanged: [simple_node]",
    "TASK [docker : install docker] ************************************************\nchanged: [simple_node]",
    "TASK [docker : start docker] **************************************************\nchanged: [simple_node]",
    "PLAY RECAP ********************************************************************\n"
    "simple_node                : ok=12   changed=4    unreachable=0    failed=0",
)
_FAILURE = (
    "TASK [docker : install docker] ************************************************\n"
    'fatal: [simple_node]: FAILED! => {"changed": false, "msg": "No package matching docker-ce is available"}'
)
_STARS = "*" * 50


def contextualisation(deployment: Deployment, now: float, seconds: float, header_only: bool = False) -> str:
    """Return the log at ``now``; the work takes ``seconds`` in all, so the log grows until then.

    ``header_only`` leaves the logs of the machines out.
    """
    if deployment.submitted is None:
        return ""
    progress = 1.0
    if deployment.finished is None:
        progress = min(0.95, (now - deployment.submitted) / max(seconds, 0.001))
    shown = list(_STEPS[: max(1, int(progress * len(_STEPS)))])
    if deployment.status == "CREATE_FAILED":
        shown = [*_STEPS[:8], _FAILURE]
    head = f"{timestamp(deployment.submitted)}: Select master VM\n" + "\n".join(shown[:3])
    if header_only:
        return head + "\n"
    body = "\n".join(shown[3:])
    return f"{head}\nVM 0:\n{_STARS}\n{body}\n{_STARS}\n"
