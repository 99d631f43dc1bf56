# One file for every Python service: `--build-arg ROOM=backend|realtime|edge|simulator|stack`.
# The image holds the contract, one room and that room's locked dependencies, nothing else.
FROM python:3.13-slim

ARG ROOM
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore

RUN groupadd --gid 10001 ems && useradd --uid 10001 --gid ems --create-home ems

WORKDIR /app
COPY requirements/${ROOM}.txt requirements/
RUN pip install --require-hashes --requirement requirements/${ROOM}.txt

COPY contract/src contract/src
COPY ${ROOM} ${ROOM}

# A source tree on the path instead of an installed package: a bind mount over it reloads without a rebuild.
ENV PYTHONPATH=/app/contract/src:/app/${ROOM}/src:/app/${ROOM}
WORKDIR /app/${ROOM}
USER ems
