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

# behind a symbolic link lies somebody else's file, whatever it looks like
kind() {
    step=
    rest=$1
    while [ -n "$rest" ]; do
        step="$step${rest%%/*}"
        [ ! -L "$step" ] || return 1
        case $rest in */*) rest=${rest#*/} step="$step/" ;; *) rest= ;; esac
    done
}

files=
for path in "$@"; do
    what=
    if ! kind "$path"; then
        what=symlink
    elif [ -f "$path" ]; then
        if [ -r "$path" ]; then files="$files $path"; else what=denied; fi
    elif [ -d "$path" ]; then
        what=dir
    elif [ -e "$path" ]; then
        what=other
    else
        what=missing
        # a folder on the way that may not be entered hides what lies there
        [ ! -d "${path%/*}" ] || [ -x "${path%/*}" ] || what=denied
    fi
    [ -z "$what" ] || printf '%s\t%s\t\t\t\t\t\n' "$path" $what
done
[ -n "$files" ] || exit 0

# one call for all: paths of the stack hold no blanks
# shellcheck disable=SC2086
sums=$(sha256sum -- $files) && stats=$(stat --printf "%n${t}file${t}%a${t}%u:%g${t}%s${t}%Y\n" -- $files) || exit 1
printf '%s\n' "$sums" | {
    while IFS= read -r sum; do
        IFS= read -r stat <&3
        printf '%s\t%.64s\n' "$stat" "$sum"
    done
} 3<<STATS
$stats
STATS
