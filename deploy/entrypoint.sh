#!/bin/sh
# What the container does: deepdash web | worker | beat | migrate | doctor | healthy | <any manage.py command>
set -eu
cd "${DEEPDASH_HOME:-/opt/deepdash}"

say() { echo "deepdash: $*" >&2; }

# The original ran as root and could read any file that was mounted; here that needs to be allowed.
readable() {
    if [ -d "$1" ]; then
        say "$1 is a folder: where a file to be mounted is missing on the host, docker makes one of its name."
        exit 1
    fi
    if [ -e "$1" ] && [ ! -r "$1" ]; then
        say "$1 can't be read by user $(id -u), group $(id -g). Allow it on the host:"
        say "  chgrp 0 FILE && chmod 640 FILE      or start with: docker run --user \"\$(id -u):0\" ..."
        exit 1
    fi
}

mounted() {
    if [ ! -e "$1" ]; then
        say "ENABLE_HTTPS is on, but there is no $1. Mount it, or let a proxy speak TLS and take ENABLE_HTTPS out."
        exit 1
    fi
    readable "$1"
}

# True when a key is given by environment or file; what is not given is settled here for the container.
given() { python - "$1" <<'PYTHON'
import json, os, sys
key = sys.argv[1]
try:
    with open(os.environ.get("DEEPDASH_CONFIG") or "/app/app/config.json", encoding="utf-8") as file:
        kept = json.load(file)
except (OSError, ValueError):
    kept = {}  # what is wrong with it, "manage.py check" says
sys.exit(not (f"DEEPDASH_{key}" in os.environ or f"DEEPDASH_{key}_FILE" in os.environ or key in kept))
PYTHON
}

https() { case "$(echo "${ENABLE_HTTPS:-}" | tr '[:upper:]' '[:lower:]')" in true|yes|on|1) true ;; *) false ;; esac; }

prepare() {
    readable "${DEEPDASH_CONFIG:-/app/app/config.json}"
    # A configuration of the Flask dashboard knows neither key: it ran behind a proxy that speaks https, or spoke
    # https itself, and answered to any host name. Setting PUBLIC_URL (which manage.py doctor advises) ends this.
    if ! given PUBLIC_URL && ! given ALLOWED_HOSTS; then
        export DEEPDASH_ALLOWED_HOSTS='*'
    fi
    if ! https && ! given TRUSTED_PROXIES; then
        export DEEPDASH_TRUSTED_PROXIES=1
    fi
}

role=${1:-web}
[ $# -gt 0 ] && shift
case "$role" in
healthy)
    # Alive, asked from inside. The certificate is for another name than 127.0.0.1, but must be the one mounted.
    exec python - <<'PYTHON'
import os, ssl, sys, urllib.request
scheme, context = "http", None
if os.environ.get("ENABLE_HTTPS", "").lower() in {"true", "yes", "on", "1"}:
    scheme, context = "https", ssl.create_default_context(cafile="/certs/cert.pem")
    context.check_hostname, context.verify_flags = False, context.verify_flags | ssl.VERIFY_X509_PARTIAL_CHAIN
url = f"{scheme}://127.0.0.1:{os.environ.get('PORT', '5001')}/healthz"
request = urllib.request.Request(url, headers={"Host": os.environ.get("HEALTH_HOST", "localhost")})
try:
    sys.exit(urllib.request.urlopen(request, timeout=4, context=context).status != 200)
except OSError as error:
    sys.exit(f"{url}: {error}")
PYTHON
    ;;
web)
    prepare
    if https; then mounted /certs/cert.pem; mounted /certs/key.pem; fi
    python manage.py check
    # Several replicas leave this to a job of its own (MIGRATE=no); one container does it itself.
    if [ "${MIGRATE:-yes}" != no ]; then python manage.py migrate --no-input; fi
    exec gunicorn --config gunicorn.conf.py deepdash.wsgi "$@"
    ;;
worker)
    prepare
    python manage.py check
    exec celery --app deepdash worker --loglevel "${DEEPDASH_LOG_LEVEL:-INFO}" --concurrency "${CONCURRENCY:-4}" "$@"
    ;;
beat)
    prepare
    exec celery --app deepdash beat --loglevel "${DEEPDASH_LOG_LEVEL:-INFO}" --pidfile= --schedule /tmp/celerybeat "$@"
    ;;
*)
    prepare
    exec python manage.py "$role" "$@"
    ;;
esac
