# shellcheck shell=sh
# The lines of the page of metrics at the URL $2 whose names follow; asked again for $1 seconds until there is one.

patience=$1 url=$2
shift 2

ask() {
    curl --silent --fail --max-time 5 --globoff -- "$url" | awk '
        BEGIN { for (i = 1; i < ARGC; i++) { wanted[ARGV[i]] = 1; ARGV[i] = "" } }
        !/^#/ && match($0, /^[a-zA-Z_:][a-zA-Z0-9_:]*/) && substr($0, 1, RLENGTH) in wanted
    ' "$@"
}
#include patience.sh
