#!/usr/bin/env bash
# n8n's URL. An environment variable counts more than the secret.
set -euo pipefail

password="${REDIS_PASSWORD:-$(tr -d '\r\n' </run/secrets/redis_password)}"
export REDIS_URL="redis://:${password}@redis:6379/3"
exec dumb-init python3 -u /client.py
