# shellcheck shell=bash
# Redis lets in who has the password and nobody else, keeps its data in /data, and Open WebUI is connected to it.
id=$(docker ps --quiet --filter label=com.docker.compose.project=erni-ki --filter label=com.docker.compose.service=redis)
# shellcheck disable=SC2016 # the inner shell's own words
docker exec "$id" sh -c '
    redis-cli ping | grep -q NOAUTH || exit 1
    export REDISCLI_AUTH="$(cat /run/redis-auth/password)"
    for i in $(seq 40); do
        if [ "$(redis-cli ping)" = PONG ] && redis-cli config get dir | grep -qx /data && redis-cli client list | grep -q "sub=1"; then exit; fi
        sleep 0.25
    done
    exit 1'
