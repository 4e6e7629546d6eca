# shellcheck shell=sh
# Writes the project's files (compose.yml, .env, compose.d) below $1, after Compose has accepted them merged.
#   project <root> <text of put.sh> <the project's own files…> -- <service>=<its env file>=<managed keys, by commas>…
# Standard input: the list for put.sh.
# Whatever Compose refuses replaces nothing.

root=$1 put=$2
shift 2
list=$(cat)
mkdir -p -- "$root" && cd -- "$root" || exit 1
umask 077
mkdir -p .fleet || exit 1
#include mutex.sh

# the files as they will be, in a folder of their own
stage=.fleet/stage
rm -rf $stage
mkdir -p $stage/compose.d
trap 'rm -rf "$stage"; [ -z "$made" ] || rm -f $made' EXIT
trap 'exit 1' HUP INT TERM
made=
[ ! -f .env ] || cp -p .env $stage/
printf '%s\n' "$list" | sh -c "$put" put "$root/$stage" >/dev/null || exit 1

# the project's own files come first, from where they are; then the fragments; no path among them holds a blank
folder=$(dirname -- "$1") files='' bases='' existing=
while [ "$1" != -- ]; do
    bases="$bases $1"
    if [ -f "$1" ]; then files="$files -f $1" existing=yes; else files="$files -f $stage/$1"; fi
    shift
done
shift
for fragment in "$stage"/compose.d/*.yml; do [ ! -e "$fragment" ] || files="$files -f $fragment"; done

# Compose wants the env files to be there, which are written after this; an empty one is taken away again if this fails
for client in "$@"; do
    file=${client#*=} file=${file%%=*}
    [ -e "$file" ] && continue
    mkdir -p "$(dirname "$file")"
    : >"$file" || exit 1
    made="$made $file"
done

compose() {
    # shellcheck disable=SC2086
    docker compose --project-directory "$folder" --env-file $stage/.env $files "$@"
}

refused() {
    echo "Compose does not accept the merged project; nothing was replaced. It says:" >&2
    printf '%s\n' "$said" | sed 's#://[^@ /]*@#://*MASKED*@#g' | tail -n 5 >&2
    exit 1
}

# What a service's `environment` sets beats its env file. A fragment takes such keys out of a mapping; Compose knows no way to take
# them out of a list. So of the services whose own list has one, the list is written anew without it, variables as they stand.
own=compose.d/.environment.yml
if [ -n "$existing" ] && [ $# -gt 0 ]; then
    said=$(compose config --quiet 2>&1) || refused
    {
        echo services:
        for client in "$@"; do printf '  %s:\n    env_file: !reset []\n' "${client%%=*}"; done
    } >$stage/bare.yml
    json=$(
        cat <<'AWK'
#include json.awk
AWK
    )
    # without its warnings, which would be no JSON
    said=$(compose -f $stage/bare.yml config --no-interpolate --format json 2>/dev/null) || refused
    printf '%s\n' "$said" | awk -v clients="$*" "$json"'
        BEGIN {
            for (n = split(clients, client, " "); n; n--) {
                split(client[n], part, "=")
                for (k = split(part[3], key, ","); k; k--) managed[part[1], key[k]] = 1
            }
        }
        function leaf(path, value,   part, key) {
            split(path, part, "/")
            if (part[2] != "services" || part[4] != "environment") return
            key = value
            sub(/=.*/, "", key)
            if ((part[3], key) in managed) beaten[part[3]] = 1
            else kept[part[3]] = kept[part[3]] "\n      - \"" value "\""
        }
        function finish(   service) {
            for (service in beaten) any = 1
            if (!any) {
                print "services: {}"
                return
            }
            print "# Lists of the project'\''s own files without what is in env files, made from them. Do not edit: change those."
            print "services:"
            for (service in beaten)
                printf "  %s:\n    environment: !override%s\n", service, kept[service] == "" ? " []" : kept[service]
        }' >$stage/$own || exit 1
else
    echo 'services: {}' >$stage/$own
fi
said=$(compose -f $stage/$own config --quiet 2>&1) || refused
made=

{
    printf '%s\n' "$list" | sed '$d'
    printf 'file\n0600\n-\n%s\n%s\nend\n' "$own" "$(base64 -w 0 $stage/$own)"
} | sh -c "$put" put "$root" || exit 1
# the plan asks whether it is older than what it was made from
for file in $bases; do if [ "$file" -nt $own ]; then touch $own; fi; done
