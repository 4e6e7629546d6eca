# Sets `fleet_lines` to the containers of the Compose project $project, where nothing before did: one line for scripts each: id, service,
# state, first address, and its ports with where they are published (`8080>127.0.0.1:80`, separated by commas), separated by blanks.
# What is not made of the signs that such a thing has is `-`; one whose image pretends that Compose made it is left out.
list_containers() {
    [ -z "$fleet_containers" ] || return 0
    fleet_containers=$(ask_docker) || return 1
    fleet_lines=$(printf '%s\n' "$fleet_containers" | sed -n 's/^"\(.*\)"$/\1/p')
}

# The engine's version, all that is told of the containers, as JSON, and the lines for scripts.
# Only these fields leave the host: a command or another label may hold a password.
# Compose gives no image the label `oneoff`, so one that has it would have its containers taken for Compose's.
ask_docker() {
    set -- --silent --fail --max-time 10 --unix-socket "$docker_socket" --get
    curl "$@" --include --data-urlencode all=true \
        --data-urlencode "filters={\"label\":[\"com.docker.compose.project=$project\",\"com.docker.compose.oneoff=False\"]}" \
        http://docker/containers/json --next \
        "$@" --data-urlencode 'filters={"label":["com.docker.compose.oneoff"]}' http://docker/images/json | {
        while IFS= read -r line && [ ${#line} -gt 1 ]; do
            case $line in Server:\ Docker/*) version=${line#*/} ;; esac
        done
        printf '%s\n' "${version%%[!0-9A-Za-z.+~-]*}"
        jq --null-input --ascii-output --compact-output --exit-status '
            def plain: if type == "string" and test("^[A-Za-z0-9][A-Za-z0-9_.:-]*$") then . else "-" end;
            def at: [.NetworkSettings.Networks[]?.IPAddress | select(. != "")];
            input as $listed | [input[].Id] as $posing
            # one that shares the network of another one has its addresses
            | ($listed | map({key: .Id, value: at}) | from_entries) as $at
            | def addresses: at as $own | if $own == [] then $at[.HostConfig.NetworkMode // "" | ltrimstr("container:")] // [] else $own end;
            [$listed[] | select(.ImageID as $image | $posing | index($image) | not) | {
                id: .Id, service: .Labels["com.docker.compose.service"], state: .State, status: .Status,
                hash: .Labels["com.docker.compose.config-hash"], created: .Created, image: .Image, image_id: .ImageID,
                addresses: addresses,
                mounts: ([.Mounts[]? | {key: .Destination, value: (.Source // "")}] | from_entries),
                ports: [.Ports[]? | select(.PublicPort) | "\(.IP):\(.PublicPort)"]
            }], ($listed[] | select(.ImageID as $image | $posing | index($image) | not)
                | ([.Ports[]? | select(.PublicPort and (.IP | strings | test("^[0-9a-f.:]+$")))] | sort_by(.IP | contains(":"))
                    | map("\(.PrivatePort)>\({"0.0.0.0": "127.0.0.1", "::": "[::1]"}[.IP] // if .IP | contains(":") then "[\(.IP)]" else .IP end):\(.PublicPort)")
                    | join(",")) as $ports
                | [.Id, .Labels["com.docker.compose.service"], .State,
                    (if .HostConfig.NetworkMode == "host" then "127.0.0.1" else addresses[0] end)]
                | map(plain) + [$ports] | join(" "))'
    }
}

# The id and the address of the container that is the service $server; of several nobody can tell which one is the project's, so none
# is asked.
server_container() {
    list_containers || return 1
    found=
    while read -r id service state address _; do
        [ "$service $state" = "$server running" ] && [ "$address" != - ] || continue
        [ -z "$found" ] || return 1
        found="$id $address"
    done <<END
$fleet_lines
END
    [ -n "$found" ] && echo "$found"
}
