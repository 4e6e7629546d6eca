# shellcheck shell=sh
# Fails where the lock of the stack in folder $1 does not have the owner $2 any more.

owner=$(cat -- "$1/.fleet/lock/owner" 2>&1)
if [ "$owner" != "$2" ]; then
    echo "$1: the lock of this run was taken over meanwhile. It has now: ${owner:-no owner}" >&2
    exit 1
fi
