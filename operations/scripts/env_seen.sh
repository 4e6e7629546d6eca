# shellcheck shell=sh
# Tells which managed keys are set in env files, as digests: no line of a file ever leaves the host.
#   env_seen <root> <path> <digest> <key>… [-- <path> <digest> <key>…]…
# <digest>: SHA-256 of all records as they are wanted, or "". Where it fits, one `path = ` line stands for all keys of a file.

cd -- "$1" 2>/dev/null || exit 0
shift
export LC_ALL=C
t=$(printf '\t')
env_awk=$(
    cat <<'AWK'
#include env.awk
AWK
)

digest() {
    printf '%s' "$1" | sha256sum | cut -c 1-64
}

# path, wanted digest, keys parted by blanks
seen() {
    { [ -f "$1" ] && [ ! -L "$1" ] && [ -r "$1" ]; } || return 0
    if ! records=$(awk -v mode=seen -v keys="$3" "$env_awk" <"$1"); then
        printf '%s\t!\n' "$1"
        return
    fi
    [ -n "$records" ] || return 0
    if [ "$(digest "$records")" = "$2" ]; then
        printf '%s\t=\n' "$1"
        return
    fi
    printf '%s\n' "$records" | while IFS=$t read -r key count statement; do
        printf '%s\t%s\t%s\t%s\n' "$1" "$key" "$count" "$(digest "$statement")"
    done
}

while [ $# -gt 0 ]; do
    path=$1 wanted=$2 keys=
    shift 2
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        keys="$keys $1"
        shift
    done
    [ $# -eq 0 ] || shift
    seen "$path" "$wanted" "$keys"
done
