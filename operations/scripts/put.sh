# shellcheck shell=sh
# Writes and removes files below the folder $1, as the list on standard input says: all of it, or nothing.
# Five lines a file, and `end`:
#   file | env | remove    the whole file, lines to set in an env file, or a file to take away
#   mode                   octal; keep<octal>: an existing file keeps its own
#   owner                  uid:gid; -: an existing file keeps its own
#   path                   below the folder
#   content                base64
# Each file is made beside its target, with its final mode and owner, and renamed once everything has arrived. What is as
# wanted already is not touched.

root=$1
export LC_ALL=C
umask 077
#include mutex.sh
new=.fleet-new
env_awk=$(
    cat <<'AWK'
#include env.awk
AWK
)

refuse() {
    printf '%s\n' "$@" >&2
    exit 1
}

could_not() {
    refuse "$root/$path: cannot be written: $(printf '%s' "$said" | tail -n 1). Nothing was changed."
}

staged=
removed=
clean() {
    printf '%s' "$staged" | while IFS= read -r file; do rm -f -- "$file$new"; done
}
trap clean EXIT
trap 'exit 1' HUP INT TERM

path=
[ -d "$root" ] || said=$(umask 022 && mkdir -p -- "$root" 2>&1) || could_not
cd -- "$root" || exit 1

# what lies behind a symbolic link, or is no file, is somebody else's
check() {
    step=
    rest=$path
    while :; do
        step="$step${rest%%/*}"
        [ ! -L "$step" ] || refuse "$root/$step: is a symbolic link. Nothing was changed. Move it away."
        case $rest in */*) rest=${rest#*/} step="$step/" ;; *) break ;; esac
    done
    [ ! -e "$path" ] || [ -f "$path" ] || refuse "$root/$path: is no regular file. Nothing was changed. Move it away."
}

# the folder of a file; what belongs to a container's own user can be entered by that user
folder() {
    case $path in */*) dir=${path%/*} ;; *) return 0 ;; esac
    if [ ! -d "$dir" ]; then
        case $dir in
        secrets* | .* | backups*) said=$(mkdir -p -- "$dir" 2>&1) || could_not ;;
        *) said=$(umask 022 && mkdir -p -- "$dir" 2>&1) || could_not ;;
        esac
    fi
    [ "$owner" = - ] || [ "$(stat -c %u:%g -- "$dir")" = "$owner" ] || said=$(chown "$owner" -- "$dir" 2>&1) || could_not
}

content() {
    if [ "$kind" = file ] || [ ! -e "$path" ]; then
        printf '%s' "$body" | base64 -d
        return
    fi
    # awk reads the file by itself: it fails where the file cannot be read to its end, a `cat` in the pipe would do so unseen
    { printf '%s' "$body" | base64 -d && echo '##fleet:text'; } | awk -v mode=edit "$env_awk" - "./$path"
    status=$?
    [ $status -ne 3 ] ||
        echo "a quote in it is never closed, or something follows a closed one; correct that by hand" >&2
    return $status
}

stage() {
    folder
    staged="$staged$path
"
    rm -f -- "$path$new"
    said=$({ content >"$path$new"; } 2>&1) || could_not
    case $mode in
    keep*) if [ -e "$path" ]; then set -- --reference="$path"; else set -- "${mode#keep}"; fi ;;
    *) set -- "$mode" ;;
    esac
    said=$(chmod "$@" -- "$path$new" 2>&1) || could_not
    if [ "$owner" != - ]; then
        said=$(chown "$owner" -- "$path$new" 2>&1) || could_not
    elif [ -e "$path" ]; then
        said=$(chown --reference="$path" -- "$path$new" 2>&1) || could_not
    fi
    said=$(sync -- "$path$new" 2>&1) || could_not
}

kind=
while IFS= read -r kind && [ "$kind" != end ]; do
    { IFS= read -r mode && IFS= read -r owner && IFS= read -r path && IFS= read -r body; } || break
    check
    if [ "$kind" = remove ]; then
        removed="$removed$path
"
    else
        stage
    fi
done
[ "$kind" = end ] || refuse "The list of files was cut off on its way; nothing below $root was changed. Run again."

printf '%s' "$staged" | while IFS= read -r path; do
    if [ ! -e "$path" ] || ! cmp -s -- "$path" "$path$new"; then
        mv -f -- "$path$new" "$path" && sync -- "$(dirname -- "$path")" && say "wrote $path" || exit 1
    elif [ "$(stat -c %a:%u:%g -- "$path")" != "$(stat -c %a:%u:%g -- "$path$new")" ]; then
        mv -f -- "$path$new" "$path" && say "set mode and owner of $path" || exit 1
    fi
done || refuse "Not every file below $root could be replaced. Run again: it goes on from here."

printf '%s' "$removed" | while IFS= read -r path; do
    [ ! -e "$path" ] || { rm -f -- "$path" && say "removed $path"; } || exit 1
done
