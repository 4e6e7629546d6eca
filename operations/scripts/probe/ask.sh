# shellcheck shell=sh
# The answer to one declared check, asked from the host itself; asked again for $patience seconds until there is one.
# + kind: http, websocket, tcp, command, log
# + target: URL, host:port, words for a shell, or regular expression
# + project, service: whose container is meant by command and log
# + window: how many seconds of a log count
# + port: of a URL's, in the service's container; empty where the URL is meant as it stands

#include lib/placed.sh
#include lib/probe.sh

case $kind in
http | websocket)
    placed "$target"
    target=$url
    ;;
esac
probe
