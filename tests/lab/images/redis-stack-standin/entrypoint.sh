#!/usr/bin/dumb-init /bin/sh
# As the original: REDIS_ARGS is split at blanks, and an optional /redis-stack.conf comes first.
# shellcheck shell=sh disable=SC2086

CONFFILE=
if [ -f /redis-stack.conf ]; then
    CONFFILE=/redis-stack.conf
fi

/opt/redis-stack/bin/redis-server \
    ${CONFFILE} \
    --dir "${REDIS_DATA_DIR:-/data}" \
    --protected-mode no \
    --daemonize no \
    ${REDIS_ARGS}
