#!/bin/sh
# Start Redis with the users of stack/src/ems_stack/redis_users.acl. The backend adds one for each edge and saves them
# into the same file; those lines are kept over a restart.
set -eu
file=/data/users.acl
digest() { printf %s "$1" | sha256sum | cut -d' ' -f1; }
umask 077
touch "$file"
{
    sed -n 's/^user /user /p' /etc/ems/redis_users.acl |
        sed -e "s/{backend}/$(digest "$EMS_REDIS_BACKEND")/" -e "s/{historian}/$(digest "$EMS_REDIS_HISTORIAN")/" \
            -e "s/{realtime}/$(digest "$EMS_REDIS_REALTIME")/" -e "s/{stack}/$(digest "$EMS_REDIS_STACK")/"
    grep -E '^user edge_' "$file" || true
} >"$file.new"
mv "$file.new" "$file"
exec redis-server --aclfile "$file" --dir /data --appendonly yes --appendfsync everysec --save '' \
    --maxmemory 512mb --maxmemory-policy noeviction --proto-max-bulk-len 8mb --protected-mode no \
    --client-output-buffer-limit 'pubsub 64mb 16mb 30'
