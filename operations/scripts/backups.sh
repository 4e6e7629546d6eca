# shellcheck shell=sh
# The backups of the stack in folder $1: name, tab, number of files.

#include lib/backup.sh
cd -- "$1" 2>/dev/null || exit 0
for name in $(backups); do
    printf '%s\t%s\n' "$name" "$(find "backups/$name" -type f ! -name .absent ! -name .fleet-backup | wc -l)"
done
