# shellcheck shell=sh
# The words that the image $image is started with, as Docker has it on this host: its entrypoint and command, as a JSON list; an empty
# one where it is not there. Where $image is empty: that of the container which is the service $server of the project $project.

#include lib/containers.sh

name=$image
if [ -z "$name" ]; then
    list_containers || exit 1
    name=$(printf '%s\n' "$fleet_containers" | sed 1d | jq --raw-output --arg server "$server" \
        'arrays | first(.[] | select(.service == $server) | .image) // empty') || exit 1
fi
case $name in
"") echo '[]' && exit ;;
*[!A-Za-z0-9./:@_-]*) exit 1 ;;
esac
answer=$(curl --silent --max-time 10 --unix-socket "$docker_socket" --write-out '\n%{http_code}' "http://docker/images/$name/json") || exit 1
case $answer in
*"
200") printf '%s\n' "${answer%???}" | jq --ascii-output --compact-output '[(.Config.Entrypoint, .Config.Cmd)[]? | tostring[:200]][:20]' ;;
*"
404") echo '[]' ;;
*) exit 1 ;;
esac
