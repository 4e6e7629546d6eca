# shellcheck shell=sh
# The lines of the page of metrics at the URL $1 whose names follow.

url=$1
shift
curl --silent --fail --max-time 5 --globoff -- "$url" | awk -v names="$*" '
    BEGIN { n = split(names, name, " "); for (i = 1; i <= n; i++) wanted[name[i]] = 1 }
    !/^#/ && match($0, /^[a-zA-Z_:][a-zA-Z0-9_:]*/) && substr($0, 1, RLENGTH) in wanted
'
