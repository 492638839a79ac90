"""Where the catalogue comes from: a folder or git repository of templates, MODULES.yml, metadata, Docker Hub.

Nothing here touches the database. What can go wrong is raised as a ``deepdash.errors.Problem``.
"""
