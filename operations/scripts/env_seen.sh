# shellcheck shell=bash
# Tells which managed keys are set in env files, as digests: no line of a file ever leaves the host.
#   env_seen <root> <digest> <path> <key>… [-- <path> <key>…]…
# <digest>: SHA-256 of the paths and all their records as they are wanted. Where it fits, one `=` stands for all of them.

cd -- "$1" 2>/dev/null || exit 0
wanted=$2
shift 2
export LC_ALL=C
t=$(printf '\t')
env_awk=$(
    cat <<'AWK'
#include env.awk
AWK
)

digest() {
    sum=$(printf '%s' "$1" | sha256sum)
    echo "${sum%% *}"
}

# path, keys: the keys that are set, how often, and their statements
records() {
    { [ -f "$1" ] && [ ! -L "$1" ] && [ -r "$1" ]; } || return 0
    awk -v mode=seen -v keys="$2" "$env_awk" <"$1"
}

# the same with its path before it
whole() {
    printf '%s\n' "$1"
    records "$@"
}

# the same with the statements as digests, all by one sha256sum: one for each took as long as all other questions to the host together
told() {
    if ! records=$(records "$@"); then
        printf '%s\t!\n' "$1"
        return
    fi
    [ -n "$records" ] || return 0
    local key count statement fd head sum heads=() opened=()
    # no here-string: of an older bash that is a file
    while IFS=$t read -r key count statement; do
        exec {fd}< <(printf '%s' "$statement")
        heads+=("$1$t$key$t$count") opened+=("$fd")
    done < <(printf '%s\n' "$records")
    sha256sum "${opened[@]/#//dev/fd/}" | for head in "${heads[@]}"; do
        IFS=' ' read -r sum _ && printf '%s\t%s\n' "$head" "$sum"
    done
    for fd in "${opened[@]}"; do exec {fd}<&-; done
}

# one of these for each file
each() {
    do=$1
    shift
    while [ $# -gt 0 ]; do
        path=$1 keys=
        shift
        while [ $# -gt 0 ] && [ "$1" != -- ]; do
            keys="$keys $1"
            shift
        done
        [ $# -eq 0 ] || shift
        "$do" "$path" "$keys"
    done
}

all=$(each whole "$@")
if [ "$(digest "$all
")" = "$wanted" ]; then
    echo '='
else
    each told "$@"
fi
