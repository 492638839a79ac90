"""What runs inside a module's container: DEEPaaS (contract 6), JupyterLab, the monitor."""

from sandbox.deepaas.app import deepaas_app
from sandbox.deepaas.pages import jupyter_app, monitor_app

__all__ = ["deepaas_app", "jupyter_app", "monitor_app"]
