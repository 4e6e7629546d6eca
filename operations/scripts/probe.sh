# shellcheck shell=sh
# The HTTP status of the URL $1, or the value of its metric $2 when that is given.

if [ -z "$2" ]; then
    status=$(curl --silent --output /dev/null --max-time 5 --write-out '%{http_code}' --globoff -- "$1")
    [ "$status" = 000 ] || echo "$status"
else
    curl --silent --max-time 5 --globoff -- "$1" | while read -r name value; do
        case $name in "$2" | "$2{"*) echo "$value" && break ;; esac
    done
fi
