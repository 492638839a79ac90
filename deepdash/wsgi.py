"""The WSGI application that gunicorn serves; it refuses to start with a configuration that can't be right."""

import os
import sys

from django.core.wsgi import get_wsgi_application

from deepdash.config import CANNOT_START

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deepdash.settings")
application = get_wsgi_application()

from deepdash.checks import refusals  # noqa: E402  (checks need the apps)

if problems := refusals():
    print("The dashboard does not start:", *(f"  - {text}" for text in problems), sep="\n", file=sys.stderr, flush=True)
    sys.exit(CANNOT_START)
