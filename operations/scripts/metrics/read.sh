# shellcheck shell=sh
# The lines of the page of metrics at $url with one of $names, as base64; asked again for $patience seconds until there is one.
# + project, service, port: where it is, as lib/placed.sh says

#include lib/placed.sh
#include lib/patience.sh

placed "$url"

ask() (
    IFS='
'
    set -f
    # shellcheck disable=SC2086 # an item a line
    curl --silent --fail --max-time 5 --globoff -- "$url" | head -c 4194304 | LC_ALL=C awk '
        BEGIN { for (i = 1; i < ARGC; i++) { wanted[ARGV[i]] = 1; ARGV[i] = "" } }
        NR > 20000 { exit }
        !/^#/ && length($0) < 4096 && match($0, /^[a-zA-Z_:][a-zA-Z0-9_:]*/) && substr($0, 1, RLENGTH) in wanted
    ' $names
)
patiently
[ -z "$answer" ] || { printf '%s\n' "$answer" | base64 -w 0 && echo; }
