# shellcheck shell=sh
# Writes and removes files below the folder $root, as the list $files says.

#include lib/mutex.sh
#include lib/put.sh
take_mutex
printf '%s\n' "$files" | put "$root"
