# shellcheck shell=sh
# Brings the files of the backup $name back into the stack's folder $root; those that were not there then go. The files in the list
# $stays are left as they are. Images get the names back that others have got since.

#include lib/mutex.sh
#include lib/backup.sh
#include lib/put.sh
cd -- "$root" || exit 1
export LC_ALL=C
take_mutex
backup=backups/$name

# one of an earlier version has no mark; it is only read
named_by_time() {
    case $1 in
    *[!0-9TZ-]*) return 1 ;;
    [0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]T[0-9][0-9][0-9][0-9][0-9][0-9]Z | [0-9]*T[0-9]*Z-[0-9]*) return 0 ;;
    esac
    return 1
}

may_be_restored() {
    case $name in "" | .* | */*) return 1 ;; esac
    [ -d "$backup" ] && [ ! -L backups ] && [ ! -L "$backup" ] && { is_backup "$name" || named_by_time "$name"; }
}
may_be_restored || {
    echo "$root/$backup: there is no such backup. The others: $(backups | paste -s -d , | sed 's/,/, /g')" >&2
    exit 1
}
# nothing of ours is a link, or has a line break in its name
strange=$(find "$backup" \( ! -type f ! -type d -o -name '*
*' \) -print -quit) || exit 1
if [ -n "$strange" ]; then
    echo "$root/$backup: holds something that is no backed up file. Nothing was changed." >&2
    exit 1
fi

stays() {
    case "
$stays
" in *"
$1
"*) return 0 ;; esac
    return 1
}

entry() { printf '%s\n-\n-\n%s\n%s\n' "$1" "$2" "$3"; }

{
    find "$backup" -type f ! -path "$backup/.absent" ! -path "$backup/.images" ! -path "$backup/.fleet-backup" | sort | while IFS= read -r path; do
        path=${path#"$backup/"}
        stays "$path" || entry copy "$path" "$backup/$path"
    done
    [ ! -f "$backup/.absent" ] || while IFS= read -r path; do
        stays "$path" || entry remove "$path" ''
    done <"$backup/.absent"
} | put "$root" || exit 1

[ ! -f "$backup/.images" ] || while read -r image id; do
    case $image$id in *[!A-Za-z0-9./:_-]*) continue ;; esac
    [ "$(docker image inspect --format '{{.Id}}' "$image" 2>/dev/null)" != "$id" ] || continue
    if docker tag "$id" "$image" 2>/dev/null; then
        echo "image $image is the one of then"
    else
        echo "image $image is not the one of then, which is no longer on this host"
    fi
done <"$backup/.images"
