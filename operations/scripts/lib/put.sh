# Writes and removes what lies below the folder $1, as the list on standard input says: all of it, or nothing. Five lines each:
#   file | env | copy | dir | remove   a whole file, lines to set in an env file, a copy, a folder, or a file to take away
#   mode                               octal; keep<octal>: what is there keeps its own
#   owner                              uid:gid; -: what is there keeps its own
#   path                               below the folder
#   content                            base64; of a copy the other file's path, whose mode, owner and time it gets too
# Files are made where nobody else can look or interfere, with their final mode and owner, and renamed once all of them are on the
# disk. What is as desired already is not touched.

#awk lib/env_edit.awk
#awk lib/env_lines.awk
put() (
    root=$1 path='' new='' staged='' removed=''
    export LC_ALL=C
    umask 077

    refuse() {
        printf '%s\n' "$@" >&2
        exit 1
    }

    could_not() {
        refuse "$root/$path: cannot be written: $(printf '%s' "$said" | tail -n 1). Nothing was changed."
    }

    # what lies behind a symbolic link, or is of another kind, is somebody else's
    check() {
        case "/$path/" in */../* | */./* | *//*) refuse "$root/$path: is no path below that folder. Nothing was changed." ;; esac
        step='' rest=$path
        while :; do
            step="$step${rest%%/*}"
            [ ! -L "$step" ] || refuse "$root/$step: is a symbolic link. Nothing was changed. Move it away."
            case $rest in */*) rest=${rest#*/} step="$step/" ;; *) break ;; esac
        done
        if [ "$kind" = dir ]; then
            [ ! -e "$path" ] || [ -d "$path" ] || refuse "$root/$path: is no folder. Nothing was changed. Move it away."
        else
            [ ! -e "$path" ] || [ -f "$path" ] || refuse "$root/$path: is no regular file. Nothing was changed. Move it away."
        fi
    }

    # The folder of a file; what belongs to a container's own user can be entered by that user. A rename is atomic on one file
    # system alone: on another one the file is made beside its target.
    folder() {
        case $path in */*) dir=${path%/*} ;; *) dir=. ;; esac
        if [ ! -d "$dir" ]; then
            case $dir in
            secrets* | .* | backups*) said=$(mkdir -p -- "$dir" 2>&1) || could_not ;;
            *) said=$(umask 022 && mkdir -p -- "$dir" 2>&1) || could_not ;;
            esac
        fi
        found=$(stat -c '%d %u:%g' -- "$dir")
        [ "$owner" = - ] || [ "$dir" = . ] || [ "${found#* }" = "$owner" ] || said=$(chown -h "$owner" -- "$dir" 2>&1) || could_not
        if [ "${found% *}" = "$device" ]; then
            number=$((number + 1)) stage=$new/$number
        else
            said=$(mktemp -- "$dir/.fleet-new.XXXXXXXXXX" 2>&1) || could_not
            stage=$said
        fi
    }

    content() {
        if [ "$kind" = copy ]; then
            cp -p --no-dereference -- "$body" "$stage"
            return
        elif [ "$kind" = file ] || [ ! -e "$path" ]; then
            printf '%s' "$body" | base64 -d >"$stage"
            return
        fi
        # awk reads the file by itself: it fails where the file cannot be read to its end, a `cat` in the pipe would do so unseen
        { printf '%s' "$body" | base64 -d && echo '##fleet:text'; } | awk "$env_edit_awk$env_lines_awk" - "./$path" >"$stage"
        status=$?
        [ $status -ne 3 ] ||
            echo "a quote in it is never closed, or something follows a closed one; correct that by hand" >&2
        return $status
    }

    stage() {
        folder
        staged="$staged$kind
$stage
$path
"
        said=$({ content; } 2>&1) || could_not
        if [ "$kind" != copy ]; then
            case $mode in
            keep*) if [ -e "$path" ]; then set -- "$(stat -c %a -- "$path")"; else set -- "${mode#keep}"; fi ;;
            *) set -- "$mode" ;;
            esac
            said=$(chmod "$1" -- "$stage" 2>&1) || could_not
            if [ "$owner" != - ]; then
                said=$(chown "$owner" -- "$stage" 2>&1) || could_not
            elif [ -e "$path" ]; then
                said=$(chown "$(stat -c %u:%g -- "$path")" -- "$stage" 2>&1) || could_not
            fi
        fi
        said=$(sync -- "$stage" 2>&1) || could_not
    }

    # A folder comes before the files; what is in it stays.
    make() {
        dir=${path%/*}
        [ "$dir" = "$path" ] || [ -d "$dir" ] || said=$(umask 022 && mkdir -p -- "$dir" 2>&1) || could_not
        if [ ! -d "$path" ]; then
            said=$(mkdir -m "$mode" -- "$path" 2>&1) || could_not
            [ "$owner" = - ] || said=$(chown -h "$owner" -- "$path" 2>&1) || could_not
            say "made $path"
            return
        fi
        found=$(stat -c '%04a %u:%g' -- "$path")
        if [ "${found% *}" != "$mode" ] || { [ "$owner" != - ] && [ "${found#* }" != "$owner" ]; }; then
            said=$({ [ "$owner" = - ] || chown -h "$owner" -- "$path"; } 2>&1 && chmod "$mode" -- "$path" 2>&1) || could_not
            say "set mode and owner of $path"
        fi
    }

    replace() {
        if [ "$kind" = copy ]; then
            cmp -s -- "$path" "$stage" || verb="restored $path"
        elif [ ! -e "$path" ] || ! cmp -s -- "$path" "$stage"; then
            verb="wrote $path"
        elif [ "$(stat -c %a:%u:%g -- "$path")" != "$(stat -c %a:%u:%g -- "$stage")" ]; then
            verb="set mode and owner of $path"
        else
            return 0
        fi
        mv -fT -- "$stage" "$path" && sync -- "$(dirname -- "$path")" || return 1
        [ -z "$verb" ] || say "$verb"
    }

    trap 'printf "%s" "$staged" | while IFS= read -r kind && IFS= read -r stage && IFS= read -r path; do rm -f -- "$stage"; done
        [ -z "$new" ] || rm -rf -- "$new"' EXIT
    trap 'exit 1' HUP INT TERM
    [ -d "$root" ] || said=$(umask 022 && mkdir -p -- "$root" 2>&1) || could_not
    cd -- "$root" || exit 1
    said=$(mktemp -d .fleet-new.XXXXXXXXXX 2>&1) || could_not
    new=$said number=0 device=$(stat -c %d .)

    while IFS= read -r kind; do
        [ -n "$kind" ] || continue
        { IFS= read -r mode && IFS= read -r owner && IFS= read -r path && IFS= read -r body; } ||
            refuse "The list of files was cut off on its way; nothing below $root was changed. Run again."
        check
        case $kind in
        remove) removed="$removed$path
" ;;
        dir) make ;;
        *) stage ;;
        esac
    done

    printf '%s' "$staged" | while IFS= read -r kind && IFS= read -r stage && IFS= read -r path; do
        verb=
        replace || exit 1
    done || refuse "Not every file below $root could be replaced. Run again: it goes on from here."

    printf '%s' "$removed" | while IFS= read -r path; do
        [ ! -e "$path" ] || { rm -f -- "$path" && say "removed $path"; } || exit 1
    done
)
