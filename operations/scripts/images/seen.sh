# shellcheck shell=sh
# The images that have the names $images on this host: a line of JSON each, null where there is none.

set --
for image in $images; do
    case $image in *[!A-Za-z0-9./:_-]*) exit 1 ;; esac
    [ $# = 0 ] || set -- "$@" --next
    set -- "$@" --silent --max-time 10 --unix-socket "$docker_socket" "http://docker/images/$image/json"
done
[ $# = 0 ] || curl "$@" | jq --ascii-output --compact-output \
    'if .Id then {id: .Id, digests: (.RepoDigests // []), created: (.Created // "")} elif .message then null else error end'
