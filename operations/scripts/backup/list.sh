# shellcheck shell=sh
# The backups of the stack in folder $root: name, blank, number of files. One is called after its run, so what is called otherwise
# is none.

cd -- "$root/backups" 2>/dev/null || exit 0
for backup in *; do
    case $backup in *[!0-9A-Za-z._-]*) continue ;; esac
    # a name may have a line break in it: a dot a file
    [ ! -d "$backup" ] || [ -L "$backup" ] ||
        echo "$backup $(timeout 10 find "./$backup" -type f ! -name .absent -printf . | wc -c)"
done
