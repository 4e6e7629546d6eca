# shellcheck shell=sh
# What lies at each of $paths below the stack's folder $root: their kinds, a line each; then mode, owner and time of change of each
# file and folder; then the SHA-256 of each file.

export LC_ALL=C
IFS='
'
set -f
if ! cd -- "$root" 2>/dev/null; then
    kind=missing
    if [ -d "$root" ]; then kind=denied; elif [ -e "$root" ] || [ -L "$root" ]; then kind=other; fi
    for path in $paths; do echo $kind; done
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

set --
files=
for path in $paths; do
    look "$path"
    echo $kind
    case $kind in file | dir) set -- "$@" "$path" ;; esac
    [ $kind != file ] || files="$files$path
"
done
[ $# -eq 0 ] || stat -c '%a %u:%g %Y' -- "$@" || exit 1
# shellcheck disable=SC2086 # an item a line
[ -z "$files" ] || sums=$(timeout 60 sha256sum -- $files) || exit 1
for sum in $sums; do
    # a backslash in front tells that sha256sum escaped the name
    printf '%.64s\n' "${sum#\\}"
done
