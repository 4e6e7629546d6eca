# Whether the folder $1 of backups is one that we made: a mark in it says so, with its own name, so that a copy under another name
# is none. What else lies there is somebody else's.
is_backup() {
    [ ! -L "backups/$1" ] && [ -f "backups/$1/.fleet-backup" ] && [ ! -L "backups/$1/.fleet-backup" ] &&
        IFS= read -r marked <"backups/$1/.fleet-backup" && [ "$marked" = "$1" ]
}

# Their names, the oldest first.
backups() {
    [ ! -L backups ] && for one in backups/*; do
        if is_backup "${one##*/}"; then echo "${one##*/}"; fi
    done
}
