# shellcheck shell=sh
# Makes room for an archive of $size bytes below the stack's folder $root; fails where the disk has none for it and what is in it.

umask 077
mkdir -p -- "$root/.fleet/images" || exit 1
free=$(df -Pk -- "$root/.fleet/images" | awk 'END { print $4 }')
[ "$free" -gt $((size * 2 / 1024)) ] || {
    echo "$root: has $((free / 1024)) MB left, too little to bring an image of $((size / 1048576)) MB there. Make room." >&2
    exit 1
}
