# shellcheck shell=bash
# What the services of the Compose project $2, in folder $1, complain about: of each, how many lines since its start tell of a
# refused login to redis, and its last lines of the last $3 seconds that tell of an error, with secrets masked. What was logged
# while a service of the project had just started does not count as an error: the others notice when one is replaced.
#   logs <root> <project> <seconds> <pattern of lines that are harmless>

root=$1 masks=
export LC_ALL=C
#include mask.sh
#include containers_of.sh

list=$(containers_of "$2") || exit 1
ids=$(printf '%s\n' "$list" | awk -F '\t' '$3 ~ /^(running|paused|restarting)$/ { print $1 }')
[ -n "$ids" ] || exit 0

# one curl for all: of each container its description, then its log
urls=()
for id in $ids; do
    urls+=("http://docker/containers/$id/json" "http://docker/containers/$id/logs?stdout=1&stderr=1&timestamps=1&tail=2000")
done

# each line of a log that is no terminal's begins with eight bytes about its stream and length
found=$(curl --silent --fail --max-time 10 --unix-socket /var/run/docker.sock --write-out '\n##fleet:log\n' "${urls[@]}" |
    sed 's/^[\x01\x02]\x00\x00\x00....//; s/\x00//g' |
    harmless=$4 awk -v window="$(date -u -d "-$3 seconds" +%Y-%m-%dT%H:%M:%S)" '
    BEGIN {
        part = 0 # as a subscript, a variable without a value is not 0
        harmless = ENVIRON["harmless"] # -v would take its backslashes for escapes
    }
    function value(key,   at) {
        at = index($0, "\"" key "\":\"")
        return at ? substr($0, at + length(key) + 4, index(substr($0, at + length(key) + 4), "\"") - 1) : ""
    }
    $0 == "##fleet:log" { part++; next }
    part % 2 == 0 {
        if (/"com.docker.compose.service":/) {
            service[part] = value("com.docker.compose.service")
            started[part] = substr(value("StartedAt"), 1, 19)
            # one that ends again and again has always just started; nobody notices that but itself
            if (started[part] > latest && value("Status") == "running") latest = started[part]
            auth[service[part]] += 0
        }
        next
    }
    {
        name = service[part - 1]
        time = substr($0, 1, 19)
        if (name == "" || time < started[part - 1]) next
        text = substr($0, index($0, " ") + 1)
        gsub(/\033\[[0-9;]*m/, "", text)
        if (text ~ /AuthenticationError|WRONGPASS|NOAUTH|invalid username-password/) auth[name]++
        if (time < window || (harmless != "" && text ~ harmless)) next
        if (text ~ /ERROR|CRITICAL|FATAL|Traceback|[Pp]anic:|level=(error|fatal)|Error:|[a-z]Error[: ]/)
            { n = ++count[name]; line[name, n] = substr(text, 1, 300); when[name, n] = time }
    }
    END {
        for (name in auth) printf "auth\t%s\t%d\t%s\n", name, auth[name], latest
        for (name in count) {
            first = count[name] > 20 ? count[name] - 19 : 1
            for (i = first; i <= count[name]; i++) {
                gsub(/\t/, " ", line[name, i])
                printf "line\t%s\t%s\t%s\n", name, when[name, i], line[name, i]
            }
        }
    }')
case $found in
*line*) printf '%s\n' "$found" | masked ;;
*) printf '%s\n' "$found" ;;
esac
