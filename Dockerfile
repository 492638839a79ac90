# deepdash in a container: python:slim, no root, nothing to write but /var/lib/deepdash and /tmp.
#   docker build -t deepdash .
#   docker build --build-arg BASE=python:3.13-slim-bookworm -t deepdash .
# For a build that can be repeated to the byte, give the base by its digest: BASE=python@sha256:...
ARG BASE=python:3.12-slim-bookworm

# -- Build: the packages, exactly those of requirements.txt, each checked against its hash ---------------------------
FROM ${BASE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
RUN python -m venv /opt/venv
COPY requirements.txt /tmp/requirements.txt
RUN /opt/venv/bin/pip install --only-binary=:all: --require-hashes -r /tmp/requirements.txt \
    && /opt/venv/bin/pip check \
    && /opt/venv/bin/pip uninstall --yes pip
COPY manage.py gunicorn.conf.py /opt/deepdash/
COPY deepdash /opt/deepdash/deepdash
COPY accounts /opt/deepdash/accounts
COPY catalog /opt/deepdash/catalog
COPY deployments /opt/deepdash/deployments
COPY templates /opt/deepdash/templates
COPY static /opt/deepdash/static
COPY locale /opt/deepdash/locale
WORKDIR /opt/deepdash
# Static files under hashed names, compressed, inside the image. The folder for data is thrown away with its secrets.
RUN export STATIC_ROOT=/opt/deepdash/collected DEEPDASH_DATA_DIR=/tmp/data \
    && /opt/venv/bin/python manage.py compilemessages \
    && /opt/venv/bin/python manage.py collectstatic --no-input \
    && rm -rf /tmp/data \
    && find . -type d -name tests -prune -exec rm -rf {} + \
    && /opt/venv/bin/python -m compileall -q /opt/venv/lib /opt/deepdash

# -- The sandbox beside it, for trials (compose profile "sandbox"); not part of the dashboard's image ----------------
FROM build AS sandbox
COPY requirements-sandbox.txt /tmp/requirements-sandbox.txt
RUN python -m pip --python /opt/venv/bin/python install --only-binary=:all: --require-hashes -r /tmp/requirements-sandbox.txt
COPY sandbox /opt/deepdash/sandbox
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends git && rm -rf /var/lib/apt/lists/*
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1
USER 10001:0
EXPOSE 5002
CMD ["python", "-m", "sandbox", "--host", "0.0.0.0", "--port", "5002"]

# -- Run -------------------------------------------------------------------------------------------------------------
FROM ${BASE} AS run
LABEL org.opencontainers.image.title="deepdash" \
      org.opencontainers.image.description="Training dashboard for the INDIGO PaaS" \
      org.opencontainers.image.licenses="Apache-2.0"
# git brings the TOSCA templates up to date. Its version is Debian's, so that security updates come with a rebuild.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends git ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --gid 0 --no-create-home --home-dir /var/lib/deepdash --shell /usr/sbin/nologin deepdash \
    && mkdir -p /var/lib/deepdash /app/app /certs /opt/tosca-templates \
    && chown 10001:0 /var/lib/deepdash /opt/tosca-templates \
    && chmod 0770 /var/lib/deepdash \
    && chmod 0775 /opt/tosca-templates
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/deepdash /opt/deepdash
COPY deploy/entrypoint.sh /usr/local/bin/deepdash
# Beside /opt/tosca-templates, so that the original's TOSCA_TEMPLATES_DIR "../tosca-templates/deep-oc" is right.
WORKDIR /opt/deepdash
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MALLOC_ARENA_MAX=2 \
    MALLOC_TRIM_THRESHOLD_=131072 \
    MALLOC_MMAP_THRESHOLD_=131072 \
    HOME=/tmp \
    STATIC_ROOT=/opt/deepdash/collected \
    DEEPDASH_DATA_DIR=/var/lib/deepdash \
    BIND=0.0.0.0 \
    PORT=5001
# Any user in group 0 will do (docker run --user 12345:0): nothing belongs to 10001 alone.
USER 10001:0
VOLUME /var/lib/deepdash
EXPOSE 5001
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 CMD ["deepdash", "healthy"]
ENTRYPOINT ["deepdash"]
CMD ["web"]
