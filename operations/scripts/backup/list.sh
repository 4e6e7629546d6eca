# shellcheck shell=sh
# The backups of the stack in folder $root, the oldest first: name, blank, number of files.

#include lib/backup.sh
cd -- "$root" 2>/dev/null || exit 0
backups | while IFS= read -r backup; do
    # a name may have a line break in it: a dot a file
    echo "$backup $(timeout 10 find "backups/$backup" -type f ! -name .absent ! -name .images ! -name .fleet-backup -exec printf '.%.0s' {} + | wc -c)"
done
