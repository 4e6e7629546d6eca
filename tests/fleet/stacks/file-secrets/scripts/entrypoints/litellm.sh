#!/usr/bin/env bash
# LiteLLM's password for redis, from the secret.
set -euo pipefail

password="$(tr -d '\r\n' </run/secrets/redis_password)"
export REDIS_URL="redis://litellm:${password}@${REDIS_HOST}:${REDIS_PORT}/${REDIS_DB}"
exec dumb-init python3 -u /client.py
