# shellcheck shell=sh
# Copies the files as they are, before they change, to backups/<UTC time> in the stack's folder $1, and keeps the newest $2 of them.
# Of files that are not there yet it notes the names, so that a restore takes them away again.
#   backup <root> <keep> <path>…

root=$1 keep=$2
shift 2
cd -- "$root" 2>/dev/null || exit 0
umask 077
trap '' PIPE # old backups go, also where the controller is gone

now=$(date -u +%Y%m%dT%H%M%SZ)
copy=backups/$now
number=1
while [ -e "$copy" ]; do
    number=$((number + 1))
    copy=backups/$now-$number
done

# into a folder that no reader takes for a backup until it is whole
mkdir -p backups && rm -rf backups/.partial && mkdir backups/.partial || exit 1
found=
for path in "$@"; do
    if [ -f "$path" ]; then
        found=yes
        cp -p --parents -- "$path" backups/.partial || exit 1
    else
        # cat says why it cannot write, printf does not
        printf '%s\n' "$path" | cat >>backups/.partial/.absent || exit 1
    fi
done
if [ -z "$found" ]; then
    rm -rf backups/.partial
    rmdir backups 2>/dev/null
    exit 0
fi
mv backups/.partial "$copy" && sync backups || exit 1
echo "kept $copy"

# names sort by time, and none of them holds a blank
# shellcheck disable=SC2012
ls -1 backups | head -n "-$keep" | while IFS= read -r old; do rm -rf -- "backups/${old:?}"; done
