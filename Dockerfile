# Saring in a container: compiled modules, no compiler in the result, no root.
#   docker build -t saring .
#   docker run --rm -p 5335:53/udp -p 5335:53/tcp -p 127.0.0.1:8080:8080 -v saring:/var/lib/saring saring

ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends gcc libc6-dev \
 && rm -rf /var/lib/apt/lists/*
RUN python -m venv /opt/saring
ENV PATH=/opt/saring/bin:$PATH \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src

# Dependencies first: this layer is built again only when they change. The empty package stands for Saring itself.
COPY pyproject.toml setup.py constraints.txt LICENSE README.md ./
RUN mkdir saring && touch saring/__init__.py \
 && pip install -c constraints.txt setuptools cython \
 && SARING_INTERPRETED=1 pip install -c constraints.txt --no-build-isolation . \
 && pip uninstall -y saring && rm -rf saring build *.egg-info

COPY saring saring
COPY admin_api admin_api
COPY resolver resolver
COPY querylog querylog
COPY snapshots snapshots
COPY policy policy
COPY blocklists blocklists
COPY dnswire dnswire
# An image without compiled modules would be a slow surprise: insist.
RUN SARING_REQUIRE_COMPILED=1 pip install -c constraints.txt --no-build-isolation --no-deps . \
 && pip uninstall -y cython setuptools pip \
 && find /opt/saring -name tests -type d -prune -exec rm -rf {} +

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="Saring" \
      org.opencontainers.image.description="Content-filtering DNS resolver" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --system --gid 853 saring \
 && useradd --system --uid 853 --gid saring --home-dir /var/lib/saring --shell /usr/sbin/nologin saring \
 && install -d -o saring -g saring -m 0750 /var/lib/saring
COPY --from=build /opt/saring /opt/saring
COPY examples /usr/share/saring/examples
ENV PATH=/opt/saring/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    SARING_STORAGE__STATE_DIR=/var/lib/saring \
    SARING_DNS__LISTEN=0.0.0.0:53 \
    SARING_API__LISTEN=0.0.0.0:8080 \
    SARING_LOG__FORMAT=json
USER saring
WORKDIR /var/lib/saring
VOLUME /var/lib/saring
EXPOSE 53/udp 53/tcp 8080/tcp
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
ENTRYPOINT ["saring"]
CMD ["serve"]
