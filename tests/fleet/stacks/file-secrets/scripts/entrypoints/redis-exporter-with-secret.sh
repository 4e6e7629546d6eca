#!/bin/sh
# The exporter's login, from the secret.
set -eu

password=$(tr -d '\r\n' </run/secrets/redis_password)
exec /usr/bin/prometheus-redis-exporter --redis.addr=redis://redis:6379 --redis.user=exporter --redis.password="$password" "$@"
