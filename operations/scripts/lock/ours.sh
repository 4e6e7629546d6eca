# shellcheck shell=sh
# Runs $then where the lock of the stack in folder $root still has the owner $owner, and fails where it has another one.

found=$(head -c 4096 -- "$root/.fleet/lock/owner" 2>&1)
if [ "$found" != "$owner" ]; then
    echo "$root: the lock of this run was taken over meanwhile. It is now held by ${found:-nobody}" >&2
    exit 1
fi
eval "$then"
