# syntax=docker/dockerfile:1.7
# One image for every process: `serve`, `worker`, `relay`, `migrate` and the other commands of `python -m app`.

# ---- The dashboard, as static files
FROM node:22.19.0-bookworm-slim AS web
WORKDIR /src/web/dashboard
COPY web/dashboard/package.json web/dashboard/package-lock.json ./
RUN --mount=type=cache,target=/var/cache/npm npm ci --cache /var/cache/npm --ignore-scripts --no-audit --no-fund
COPY schema.graphql CHANGELOG.md /src/
COPY web/dashboard ./
RUN npm run build
# A bill of materials is of a version, which the package has none of.
RUN npm pkg set version=0.0.0 \
    && npm sbom --package-lock-only --omit=dev --sbom-format=cyclonedx >/src/web.cdx.json

# ---- Python's packages, those of requirements/production.txt and no others
FROM python:3.11.13-slim-bookworm AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_CACHE_DIR=/var/cache/pip
COPY requirements /requirements
RUN --mount=type=cache,target=/var/cache/pip \
    python -m venv /sbom \
    && /sbom/bin/pip install --quiet --no-deps --require-hashes -r /requirements/sbom.txt
RUN --mount=type=cache,target=/var/cache/pip \
    python -m venv --copies /opt/earful \
    && /opt/earful/bin/pip install --quiet --no-deps --require-hashes --only-binary=:all: -r /requirements/production.txt \
    && /opt/earful/bin/pip uninstall --quiet --yes pip setuptools \
    && /opt/earful/bin/python -m compileall -q -j 0 /opt/earful/lib
# What is in the image and with which hashes, for scanners: /usr/share/earful in it.
RUN mkdir /bill \
    && /sbom/bin/cyclonedx-py requirements /requirements/production.txt --of JSON -o /bill/python.cdx.json

# ---- The image
FROM python:3.11.13-slim-bookworm
ARG VERSION=local
ARG REVISION=
LABEL org.opencontainers.image.title="Earful" \
      org.opencontainers.image.description="A self-hosted server that hears every customer, live." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
ENV PATH=/opt/earful/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DATA_DIR=/var/lib/earful \
    HOST=0.0.0.0
RUN groupadd --gid 10001 earful \
    && useradd --uid 10001 --gid earful --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin earful \
    && install -d -o earful -g earful /var/lib/earful /var/lib/earful/tmp
COPY --from=packages /opt/earful /opt/earful
COPY --from=packages /bill /usr/share/earful
COPY --from=web /src/web.cdx.json /usr/share/earful/web.cdx.json
WORKDIR /srv/earful
COPY LICENSE ./
COPY telemetry telemetry
COPY clients clients
COPY inference inference
COPY persistence persistence
COPY domain domain
COPY jobs jobs
COPY graph graph
COPY app app
COPY web/graphiql/dist web/graphiql/dist
COPY web/form web/form
COPY --from=web /src/web/dashboard/dist web/dashboard/dist
RUN python -m compileall -q -j 0 .
USER 10001:10001
EXPOSE 8000 9100
ENTRYPOINT ["python", "-m", "app"]
CMD ["serve"]
# Of an API; compose.yaml asks workers and relays at their own port.
HEALTHCHECK --interval=10s --timeout=4s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ.get('PORT', '8000') + '/readyz', timeout=3)"]
