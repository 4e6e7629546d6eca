# shellcheck shell=sh
# The backups of the stack in folder $1: name, tab, number of files.

cd -- "$1/backups" 2>/dev/null || exit 0
for backup in *; do
    [ ! -d "$backup" ] || printf '%s\t%s\n' "$backup" "$(find "$backup" -type f ! -name .absent | wc -l)"
done
