# One file for the four Python services: `--build-arg ROOM=backend|realtime|edge|simulator`, context: the repository.
# The image holds the contract, one room and that room's locked dependencies, nothing else.
FROM python:3.13-slim AS build
ARG ROOM
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python3 -m venv /opt/ems
ENV PATH=/opt/ems/bin:$PATH
WORKDIR /app
COPY requirements/${ROOM}.txt requirements/
RUN pip install --quiet --require-hashes --requirement requirements/${ROOM}.txt
COPY contract contract
COPY ${ROOM} ${ROOM}
# Editable, so that compose.yaml can mount the sources over the image's for live reload.
RUN pip install --quiet --no-deps --no-build-isolation --editable ./contract --editable ./${ROOM} \
 && python -m compileall -q contract ${ROOM}

FROM python:3.13-slim
ARG ROOM
RUN groupadd --gid 10001 ems && useradd --uid 10001 --gid ems --create-home ems \
 && install --directory --owner=ems --group=ems /data
COPY --from=build /opt/ems /opt/ems
COPY --from=build /app /app
ENV PATH=/opt/ems/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 EMS_HEALTH_URL=
WORKDIR /app/${ROOM}
USER ems
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD python -c "import os, urllib.request as r; u = os.environ['EMS_HEALTH_URL']; u and r.urlopen(u, timeout=4)"
