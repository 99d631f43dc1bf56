#!/bin/sh
# Make the passwords of the Compose stack, once: writes .env (0600) at the root of the repository.
set -eu
cd "$(dirname "$0")/../.."
[ -f .env ] && { echo ".env is there already; remove it (and the volumes) to begin anew"; exit 0; }
word() { head -c 256 /dev/urandom | base64 | tr -dc 'A-Za-z0-9' | head -c "$1"; }
umask 077
cat >.env <<EOF
# Read by compose.yaml. Made by deploy/docker/init.sh; keep it out of version control.
EMS_SECRET_KEY=$(word 64)
EMS_POSTGRES_PASSWORD=$(word 32)
EMS_REDIS_BACKEND=$(word 32)
EMS_REDIS_HISTORIAN=$(word 32)
EMS_REDIS_REALTIME=$(word 32)
EMS_REDIS_STACK=$(word 32)
# History in TimescaleDB instead: docker compose --profile timescale up, with this line.
#EMS_HISTORY_DATABASE_URL=postgresql://ems:\${EMS_POSTGRES_PASSWORD}@timescale:5432/ems
EOF
echo "Wrote .env. Next: docker compose up --build"
