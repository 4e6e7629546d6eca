# Sets $url to the URL $1 as the service $service of the project $project is reached from the host: where its container's $port is
# published, else in the container. As it is where no port is named or the container is not known.

#include lib/containers.sh
placed() {
    url=$1 place=
    [ -n "$port" ] || return 0
    list_containers
    while read -r _ name state address published; do
        [ "$name $state" = "$service running" ] || continue
        [ "$address" = - ] || place=$address:$port
        case ,$published in *",$port>"*) place=,$published place=${place#*",$port>"} place=${place%%,*} ;; esac
        break
    done <<END
$fleet_lines
END
    rest=${url#*://}
    case ${place:+known}$url in
    http*) ;;
    known*://*/*) url=${url%%://*}://$place/${rest#*/} ;;
    known*) url=${url%%://*}://$place ;;
    esac
}
