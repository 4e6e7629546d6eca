# What services of a project are with something laid over them, where that is not what they are without. Reads the project as Compose
# resolves it, first without, then with; gives [service, path, before, after] for each place.

def places:
    to_entries[]
    | if (.key | IN("environment", "labels", "healthcheck", "extra_hosts", "deploy", "logging", "networks", "depends_on", "sysctls", "ulimits"))
        and (.value | type) == "object" then
        .key as $part | .value | to_entries[] | {key: "\($part).\(.key)", value}
      elif .key == "volumes" then .value[] | {key: "volumes.\(.target)", value}
      elif .key == "ports" then .value[] | {key: "ports.\(.host_ip // "")\(if .host_ip then ":" else "" end)\(.published // ""):\(.target)/\(.protocol)", value}
      else . end;
def told: if type == "string" then . else tojson end;

input as $without | input as $with
| [
    ($without.services | to_entries[] | .key as $name | (.value | [places] | from_entries) as $before
        | ($with.services[$name] // {} | [places] | from_entries) as $after
        | ($before + $after | keys_unsorted[]) as $path
        | select($before[$path] != $after[$path])
        | [$name, $path, ($before[$path] | select(. != null) // "" | told), ($after[$path] | select(. != null) // "" | told)]),
    (("networks", "volumes", "secrets", "configs") as $part | $without[$part] // {} | to_entries[]
        | select(.value != $with[$part][.key]) | ["", "\($part).\(.key)", (.value | tojson), ($with[$part][.key] | tojson)])
]
