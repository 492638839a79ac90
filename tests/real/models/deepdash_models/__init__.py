"""Models for the real DEEPaaS. They run in an environment of their own, which knows nothing of the dashboard."""
