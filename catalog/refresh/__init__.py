"""The engine behind ``catalog.services.catalog_refresh``: what is fetched, judged and stored, and in which order."""
