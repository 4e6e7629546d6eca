# shellcheck shell=sh
# Docker on this host: name=value lines.

have() {
    if command -v "$1" >/dev/null; then echo "$1=yes"; else echo "$1=no"; fi
}

have docker
have curl

# the server's version over its socket: a tenth of what starting the docker client costs
server=
if command -v curl >/dev/null && [ -S /var/run/docker.sock ]; then
    server=$(curl --silent --head --max-time 10 --unix-socket /var/run/docker.sock http://docker/_ping |
        sed -n 's/^Server: Docker\/\([^ ]*\).*/\1/p')
elif command -v docker >/dev/null; then
    server=$(docker version --format '{{.Server.Version}}' 2>/dev/null)
fi
echo "server=$server"

# the plugin asked by itself, without the docker client around it
compose=
for folder in "$HOME/.docker/cli-plugins" /usr/local/lib/docker/cli-plugins /usr/local/libexec/docker/cli-plugins \
    /usr/lib/docker/cli-plugins /usr/libexec/docker/cli-plugins; do
    if [ -x "$folder/docker-compose" ]; then
        compose=$("$folder/docker-compose" version --short 2>/dev/null)
        break
    fi
done
echo "compose=$compose"
