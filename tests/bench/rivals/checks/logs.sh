# shellcheck shell=bash
# No service tells of a refused login.
id=$(docker ps --quiet --filter label=com.docker.compose.project=erni-ki --filter label=com.docker.compose.service=openwebui)
! docker logs --tail 2000 "$id" 2>&1 | grep -E 'AuthenticationError|WRONGPASS|NOAUTH'
