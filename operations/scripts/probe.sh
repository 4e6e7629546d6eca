# shellcheck shell=sh
# The HTTP status of the URL $1, or the value of its metric $2 when that is given; asked again for $3 seconds until there is an
# answer.

ask() {
    if [ -z "$2" ]; then
        status=$(curl --silent --output /dev/null --max-time 5 --write-out '%{http_code}' --globoff -- "$1")
        [ "$status" = 000 ] || echo "$status"
    else
        curl --silent --max-time 5 --globoff -- "$1" | while read -r name value; do
            case $name in "$2" | "$2{"*) echo "$value" && break ;; esac
        done
    fi
}

tries=$((${3:-0} * 5))
while answer=$(ask "$1" "$2") && [ -z "$answer" ] && [ $tries -gt 0 ]; do
    tries=$((tries - 1))
    sleep 0.2
done
[ -z "$answer" ] || echo "$answer"
