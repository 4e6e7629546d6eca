# shellcheck shell=sh
# Pulls images, and gives them their names when all are there. The stack's folder is $root.
#   $images   a line an image: its name, its repository, and its digest, or - for the one that has the name in its registry now
#   $config   a docker config with the logins of registries, as JSON
#   $logins   the registries that are in it; others are asked with the host's own

#include lib/mutex.sh
mkdir -p -- "$root" && cd -- "$root" || exit 1
umask 077
mkdir -p .fleet || exit 1
take_mutex

# a login lies there only for as long as it is used; root's own config is nobody else's
folder=$(mktemp -d .fleet-new.XXXXXXXXXX) || exit 1
trap 'rm -rf -- "$folder"' EXIT
trap 'exit 1' HUP INT TERM
printf '%s\n' "$config" | cat >"$folder/config.json" || exit 1

pull() {
    case "
$logins
" in *"
$2
"*) DOCKER_CONFIG=$root/$folder docker pull --quiet "$1" 2>&1 ;;
    *) docker pull --quiet "$1" 2>&1 ;; esac
}

printf '%s\n' "$images" | while read -r name repository digest registry; do
    [ "$digest" = - ] && wanted=$name || wanted=$repository@$digest
    if ! said=$(pull "$wanted" "$registry"); then
        echo "$name could not be pulled; no service was touched. Docker says: $(printf '%s\n' "$said" | tail -n 2)" >&2
        exit 1
    fi
done || exit 1
printf '%s\n' "$images" | while read -r name repository digest _; do
    [ "$digest" = - ] || docker tag "$repository@$digest" "$name" || exit 1
    echo "pulled $name"
done
