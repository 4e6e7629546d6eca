# shellcheck shell=bash
# There is room, and no password is written out in the Compose files.
[ "$(df -Pk /opt/erni-ki | awk 'NR == 2 { print $4 }')" -gt 512000 ] || exit 1
! grep -E -- '--requirepass[ =]+[^ $]|PASSWORD[A-Z_]*: *[^ $]' /opt/erni-ki/compose.yml
