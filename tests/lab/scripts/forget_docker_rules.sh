#!/bin/sh
# Removes Docker's chains, and the rules that a dockerd which has ended left in the packet filter.
set -u
for table in nat filter; do
    iptables -t "$table" -S 2>/dev/null | grep -E '^-A .*(DOCKER|docker0|br-[0-9a-f]{12}|10\.213\.)' | sed 's/^-A/-D/' |
        while read -r rule; do
            # shellcheck disable=SC2086 # a list of words
            iptables -t "$table" $rule
        done
    for chain in $(iptables -t "$table" -S 2>/dev/null | sed -n 's/^-N \(DOCKER[A-Z0-9-]*\)$/\1/p'); do
        iptables -t "$table" -F "$chain"
        iptables -t "$table" -X "$chain"
    done
done
iptables -P FORWARD ACCEPT
