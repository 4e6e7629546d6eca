#!/bin/sh
# Removes a bridge and the packet filter rules that a dockerd which has ended left for it.
#   restore_network <bridge> <"last" if no other dockerd lives> <IP forwarding as it was>
set -u
bridge=$1 last=$2 forwarding=$3

subnet=$(ip -4 -o address show dev "$bridge" 2>/dev/null | sed -n 's/.* inet \([0-9.]*\)\.[0-9]*\/.*/\1/p')
ours="$bridge${subnet:+|[ ]$(echo "$subnet" | sed 's/\./\\./g')\.}"
if [ "$last" ]; then
    ours="$ours|DOCKER"
fi
for table in nat filter; do
    iptables -t "$table" -S 2>/dev/null | grep -E -- "^-A .*($ours)" | sed 's/^-A/-D/' |
        while read -r rule; do
            # shellcheck disable=SC2086 # a list of words
            iptables -t "$table" $rule
        done
    [ "$last" ] || continue
    for chain in $(iptables -t "$table" -S 2>/dev/null | sed -n 's/^-N \(DOCKER[A-Z0-9-]*\)$/\1/p'); do
        iptables -t "$table" -F "$chain"
        iptables -t "$table" -X "$chain"
    done
done
ip link delete "$bridge" 2>/dev/null

# dockerd closes FORWARD where it was the one that switched forwarding on
if [ "$forwarding" = 0 ]; then
    iptables -P FORWARD ACCEPT
    echo 0 >/proc/sys/net/ipv4/ip_forward
fi
