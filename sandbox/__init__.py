"""Stand-ins of every outside service the dashboard speaks to, in one process.

Nothing in here is imported by the dashboard, and nothing here imports the dashboard: they meet only over HTTP.
"""
