#!/usr/bin/env bash
# Open WebUI's URLs, from the secret.
set -euo pipefail

password="$(tr -d '\r\n' </run/secrets/redis_password)"
export REDIS_URL="redis://openwebui:${password}@redis:6379/0"
export WEBSOCKET_REDIS_URL="$REDIS_URL"
cd /app/backend
exec python3 -m uvicorn app:app --host 0.0.0.0 --port 8080 --ws websockets --timeout-graceful-shutdown 1
