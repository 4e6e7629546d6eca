# shellcheck shell=sh
# The layers of each image on this host, from the bottom: a JSON list a line.

images=$(docker image ls --quiet --no-trunc) || exit 1
# shellcheck disable=SC2086 # one word each
[ -z "$images" ] || docker image inspect --format '{{json .RootFS.Layers}}' $images
