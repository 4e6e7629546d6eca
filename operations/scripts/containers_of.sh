# A line with `server` and the engine's version; then the containers of a Compose project, a line each: id, service, state,
# health, hash of its definition, its addresses, time of its creation, mounts, image, published ports.
# Only these fields leave the host: a command or another label may hold a password. Docker's API tells them in a third of the
# time that its command line takes; an answer that an earlier part of the same bundle got ($FLEET_CONTAINERS) serves again.
containers_of() {
    case $FLEET_CONTAINERS in
    *'##fleet:end')
        printf '%s\n' "${FLEET_CONTAINERS%'##fleet:end'}" | sed '/^$/d'
        return
        ;;
    esac
    list=$(curl --silent --fail --include --max-time 10 --unix-socket /var/run/docker.sock --get --data-urlencode all=true \
        --data-urlencode "filters={\"label\":[\"com.docker.compose.project=$1\",\"com.docker.compose.oneoff=False\"]}" \
        http://docker/containers/json) || return 1
    program=$(
        cat <<'AWK'
#include json.awk
AWK
    )
    printf '%s\n' "$list" | awk '
        !body && /^Server: Docker\// { sub(/^Server: Docker\//, ""); print "server\t" $1 }
        !body { body = /^\r?$/; next }
    '"$program"'
        function leaf(path, value,   part, n) {
            n = split(path, part, "/")
            if (part[2] != id) { show(); id = part[2] }
            if (n == 3) field[part[3]] = value
            if (part[3] == "Labels" && part[4] ~ /^com\.docker\.compose\.(service|config-hash)$/) field[part[4]] = value
            if (part[3] == "NetworkSettings" && part[n] == "IPAddress" && value != "") address = address (address == "" ? "" : ",") value
            if (part[3] == "Mounts" && part[n] == "Source") source = plain(value)
            if (part[3] == "Mounts" && part[n] == "Destination") { mounts = mounts source ">" plain(value) ";"; source = "" }
            if (part[3] == "Ports" && part[n] == "IP") ip = value
            if (part[3] == "Ports" && part[n] == "PublicPort") { ports = ports (ports == "" ? "" : ",") ip ":" value; ip = "" }
        }
        function show(   health) {
            if ("Id" in field) {
                health = field["Status"]
                if (sub(/^.*\((health: )?/, "", health)) sub(/\).*$/, "", health)
                if (health !~ /^(healthy|unhealthy|starting)$/) health = ""
                printf "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", field["Id"], field["com.docker.compose.service"], field["State"],
                    health, field["com.docker.compose.config-hash"], address, field["Created"], mounts, plain(field["Image"]), ports
            }
            split("", field)
            address = mounts = source = ip = ports = ""
        }
        function finish() { show() }
    '
}
