# shellcheck shell=sh
# What lies at paths below the stack's folder $1: path, kind, mode, owner, size, time of change, SHA-256, parted by tabs.

root=$1
shift
export LC_ALL=C
t=$(printf '\t')
if ! cd -- "$root" 2>/dev/null; then
    kind=missing
    if [ -d "$root" ]; then kind=denied; elif [ -e "$root" ] || [ -L "$root" ]; then kind=other; fi
    for path in "$@"; do printf '%s\t%s\t\t\t\t\t\n' "$path" $kind; done
    exit 0
fi

# sets `kind`
look() {
    step=
    rest=$1
    while :; do
        step="$step${rest%%/*}"
        # behind a symbolic link lies somebody else's file, whatever it looks like
        [ ! -L "$step" ] || { kind=symlink && return; }
        case $rest in */*) rest=${rest#*/} ;; *) break ;; esac
        # a folder that may not be entered hides what lies there
        [ ! -d "$step" ] || [ -x "$step" ] || { kind=denied && return; }
        step="$step/"
    done
    if [ -f "$1" ]; then
        if [ -r "$1" ]; then kind="file"; else kind=denied; fi
    elif [ -d "$1" ]; then
        kind=dir
    elif [ -e "$1" ]; then
        kind=other
    else
        kind=missing
    fi
}

# the files among the paths take the paths' place
paths=$#
for path in "$@"; do
    look "$path"
    if [ $kind = file ]; then
        set -- "$@" "$path"
    elif [ $kind = dir ]; then
        stat --printf "%n${t}dir${t}%a${t}%u:%g${t}${t}%Y${t}\n" -- "$path" || exit 1
    else
        printf '%s\t%s\t\t\t\t\t\n' "$path" $kind
    fi
done
shift $paths
[ $# -gt 0 ] || exit 0

sums=$(sha256sum -- "$@") && stats=$(stat --printf "%n${t}file${t}%a${t}%u:%g${t}%s${t}%Y\n" -- "$@") || exit 1
printf '%s\n' "$sums" | {
    while IFS= read -r sum; do
        IFS= read -r stat <&3
        # a backslash in front tells that sha256sum escaped the name
        printf '%s\t%.64s\n' "$stat" "${sum#\\}"
    done
} 3<<STATS
$stats
STATS
