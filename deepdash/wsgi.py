"""The WSGI application that gunicorn serves; it refuses to start with a configuration that can't be right."""

import os
import sys

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deepdash.settings")
application = get_wsgi_application()

from deepdash.checks import refusals  # noqa: E402  (checks need the apps)

APP_LOAD_ERROR = 4  # gunicorn ends at this exit status, instead of trying for ever

if problems := refusals():
    print("The dashboard does not start:", *(f"  - {text}" for text in problems), sep="\n", file=sys.stderr, flush=True)
    sys.exit(APP_LOAD_ERROR)
