# shellcheck shell=sh
# Docker on this host: name=value lines. The stack in folder $root may know Compose's version from when it was last started.

#include lib/compose_plugin.sh

have() {
    if command -v "$1" >/dev/null; then echo "$1=yes"; else echo "$1=no"; fi
}

for program in docker bash curl jq; do have $program; done

# the server's version: as an earlier script got it, or over its socket, which costs a tenth of starting the docker client
server=
if [ -n "$fleet_containers" ]; then
    IFS= read -r server <<EOF
$fleet_containers
EOF
elif command -v curl >/dev/null && [ -S "$docker_socket" ]; then
    server=$(curl --silent --head --max-time 10 --unix-socket "$docker_socket" http://docker/_ping |
        sed -n 's/^Server: Docker\/\([0-9A-Za-z.+~-]*\).*/\1/p')
elif command -v docker >/dev/null; then
    server=$(docker version --format '{{.Server.Version}}' 2>/dev/null)
fi
echo "server=$server"

# what answers like Docker, and is another engine
podman=no
if [ -z "$server" ]; then
    case $({
        [ ! -S "$docker_socket" ] || curl --silent --head --max-time 10 --unix-socket "$docker_socket" http://docker/_ping
        docker --version
    } 2>/dev/null) in *Libpod/* | *podman*) podman=yes ;; esac
fi
echo "podman=$podman"

# the plugin asked by itself, without the docker client around it; even that costs more than most other questions to a host, so
# that a file which was asked before is not asked again
compose=
plugin=$(compose_plugin)
if [ -n "$plugin" ]; then
    known=
    [ ! -r "$root/.fleet/compose" ] || IFS= read -r known <"$root/.fleet/compose"
    case $known in
    "$(stamp "$plugin") "*) compose=${known##* } ;;
    *) compose=$("$plugin" version --short 2>/dev/null) ;;
    esac
fi
echo "compose=$compose"
