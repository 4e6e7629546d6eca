# shellcheck shell=sh
# Saves the first of $images that is on this host below the stack's folder $root: what Docker calls it, and the archive's bytes; a dash
# and 0 where there is none.

folder=$root/.fleet/images
for image in $images; do
    case $image in *[!A-Za-z0-9./:@_-]*) exit 1 ;; esac
    id=$(docker image inspect --format '{{.Id}}' "$image" 2>/dev/null) || continue
    umask 077
    mkdir -p -- "$folder" && docker save --output "$folder/save.tar" "$image" || exit 1
    echo "$id $(stat -c %s -- "$folder/save.tar")"
    exit
done
echo "- 0"
