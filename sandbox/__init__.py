"""Stand-ins of every outside service the dashboard speaks to, in one process.

The dashboard imports nothing from here and nothing here imports the dashboard: they meet over HTTP only.
"""
