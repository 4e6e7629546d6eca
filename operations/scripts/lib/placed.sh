# The URL $1 as the service $service of the project $project is reached from the host: where its container's $port is published, else in
# the container. As it is where no port is named or the container is not known.

#include lib/containers.sh
placed() {
    place=
    [ -z "$port" ] || place=$(containers_of | awk -v service="$service" -v port="$port" '
        $2 == service && $3 == "running" {
            count = split($5, published, ",")
            for (i = 1; i <= count; i++) if (split(published[i], pair, ">") == 2 && pair[1] == port) { print pair[2]; exit }
            if ($4 != "-") print $4 ":" port
            exit
        }')
    rest=${1#*://}
    case $1 in
    *://*/*) [ -z "$place" ] || set -- "${1%%://*}://$place/${rest#*/}" ;;
    *://*) [ -z "$place" ] || set -- "${1%%://*}://$place" ;;
    esac
    printf '%s\n' "$1"
}
