# shellcheck shell=sh
# Copies files as they are, before they change, to backups/<UTC time> in the stack's folder $root, and keeps the newest $keep of our
# backups. Of those of the $paths that are not there yet it notes the names, so that a restore takes them away again. Where nothing is
# there it makes none, but where services $runs already. Of the $images it notes what Docker calls those that have these names now.

#include lib/mutex.sh
#include lib/backup.sh
cd -- "$root" 2>/dev/null || exit 0
export LC_ALL=C
umask 077
take_mutex

if [ -L backups ] || { [ -e backups ] && [ ! -d backups ]; }; then
    echo "$root/backups: is no folder. Nothing was changed. Move it away." >&2
    exit 1
fi
had=yes
[ -d backups ] || had=
# in a folder that is no backup until it is whole
mkdir -p backups && new=$(mktemp -d backups/.fleet-new.XXXXXXXXXX) || exit 1
trap 'rm -rf -- "$new"' EXIT
trap 'exit 1' HUP INT TERM
printf '%s\n' "$paths" | {
    found=$([ "$runs" = yes ] && echo 0 || echo 1)
    while IFS= read -r path; do
        if [ -f "$path" ] && [ ! -L "$path" ]; then
            found=0
            cp -p --no-dereference --parents -- "$path" "$new" || exit 2
        elif [ ! -e "$path" ]; then
            # cat says why it cannot write, printf does not
            printf '%s\n' "$path" | cat >>"$new/.absent" || exit 2
        fi
    done
    exit "$found"
}
case $? in
0) ;;
1)
    rm -rf -- "$new"
    [ -n "$had" ] || rmdir backups
    exit 0
    ;;
*) exit 1 ;;
esac

for image in $images; do
    id=$(docker image inspect --format '{{.Id}}' "$image" 2>/dev/null) || continue
    printf '%s %s\n' "$image" "$id" | cat >>"$new/.images" || exit 1
done

now=$(date -u +%Y%m%dT%H%M%SZ)
name=$now number=1
while [ -e "backups/$name" ] || [ -L "backups/$name" ]; do
    number=$((number + 1))
    name=$now-$(printf %02d $number)
done
printf '%s\n' "$name" | cat >"$new/.fleet-backup" || exit 1
# cp gives folders the mode of those that it copies
find "$new" -type d -exec chmod 700 {} + && find "$new" -exec sync -- {} + && mv -T -- "$new" "backups/$name" && sync -- backups . || exit 1
echo "kept backups/$name" || :

# the newest one always stays, and so does this one, whatever the clock said
# shellcheck disable=SC2046 # no name of ours holds a blank
set -- $(backups)
while [ $# -gt "$keep" ]; do
    [ "$1" = "$name" ] || rm -rf -- "backups/${1:?}"
    shift
done
