# What the host's own environment says of Compose and Docker must not override the stack's files, nor lead docker's client to another
# engine than the one whose socket is asked here. A socket of this machine, as rootless Docker has one, is meant; so is where logins
# and plugins lie.
case $DOCKER_HOST in unix:///*) docker_socket=${DOCKER_HOST#unix://} ;; *) docker_socket=/var/run/docker.sock ;; esac
case $(export -p) in
*COMPOSE_* | *DOCKER_*)
    for name in $(env | sed -n 's/^\(COMPOSE_[A-Za-z0-9_]*\)=.*/\1/p; s/^\(DOCKER_[A-Za-z0-9_]*\)=.*/\1/p'); do
        [ "$name" = DOCKER_CONFIG ] || unset "$name"
    done
    ;;
esac
unset fleet_containers fleet_lines
export DOCKER_HOST="unix://$docker_socket"
