# shellcheck shell=sh
# What earlier runs left in the stack's folder $1: lines of kind, tab, text.

cd -- "$1" 2>/dev/null || exit 0

prefixed() {
    [ -f "$2" ] || return 0
    while IFS= read -r text || [ -n "$text" ]; do
        printf '%s\t%s\n' "$1" "$text"
    done <"$2"
}

prefixed applied .fleet/applied.json
prefixed fragment .fleet/fragments
prefixed acl secrets/redis/users.acl
prefixed lock .fleet/lock/owner
