#!/usr/bin/env bash
# SearXNG's URL, from the secret.
set -euo pipefail

if password="$(tr -d '\r\n' </run/secrets/redis_password)"; then
    export SEARXNG_VALKEY_URL="redis://searxng:${password}@redis:6379/1"
fi
exec dumb-init python3 -u /client.py
