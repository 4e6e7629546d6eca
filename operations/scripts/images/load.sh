# shellcheck shell=sh
# Loads the archive that lies below the stack's folder $root, and gives the image $image in it the name $name.

#include lib/mutex.sh
archive=$root/.fleet/images/load.tar
trap 'rm -f -- "$archive"' EXIT
trap 'exit 1' HUP INT TERM
take_mutex
docker load --quiet --input "$archive" >/dev/null && docker image inspect "$image" >/dev/null && docker tag "$image" "$name" || exit 1
echo "copied $name"
