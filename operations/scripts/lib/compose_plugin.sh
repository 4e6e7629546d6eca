# The file of the Compose v2 plugin, where the docker client looks for it.
compose_plugin() {
    for folder in "${DOCKER_CONFIG:-$HOME/.docker}/cli-plugins" /usr/local/lib/docker/cli-plugins /usr/local/libexec/docker/cli-plugins \
        /usr/lib/docker/cli-plugins /usr/libexec/docker/cli-plugins; do
        if [ -x "$folder/docker-compose" ]; then
            echo "$folder/docker-compose"
            return
        fi
    done
}

# what tells a file from another one that takes its place
stamp() {
    stat -L -c '%n %i %s %Y' "$1"
}
