#!/bin/sh
# A network namespace with a way out for the engine and its containers.
#
#   network.sh up NAME      makes it, and a cable of that name into it
#   network.sh down NAME    removes all that `up` made; also after an `up` that broke off
set -eu
action=$1 name=$2
# Addresses for the two ends: ranges that are kept free for documentation, the first that this machine does not use.
ranges="198.51.100 203.0.113 192.0.2"

insert() {
    table=$1 chain=$2
    shift 2
    iptables --wait --table "$table" --insert "$chain" "$@"
}
delete() {
    table=$1 chain=$2
    shift 2
    while iptables --wait --table "$table" --delete "$chain" "$@" 2> /dev/null; do :; done
}
rules() { # insert or delete, RANGE. The first two: the machine's own Docker drops whatever it does not know
    "$1" filter FORWARD --in-interface "$name" --jump ACCEPT
    "$1" filter FORWARD --out-interface "$name" --jump ACCEPT
    "$1" nat POSTROUTING --source "$2.0/30" ! --out-interface "$name" --jump MASQUERADE
}

case $action in
    up)
        for range in $ranges; do
            ip -4 -oneline address | grep -qF " $range." || break
        done
        ip netns add "$name"
        ip link add "$name" type veth peer name eth0 netns "$name"
        ip address add "$range.1/30" dev "$name"
        ip link set "$name" up
        ip -netns "$name" link set lo up
        ip -netns "$name" address add "$range.2/30" dev eth0
        ip -netns "$name" link set eth0 up
        ip -netns "$name" route add default via "$range.1"
        rules insert "$range"
        ;;
    down)
        for range in $ranges; do rules delete "$range"; done
        # The cable first: it would go with the namespace, but only a moment later.
        if [ -e "/sys/class/net/$name" ]; then ip link delete "$name"; fi
        if [ -e "/run/netns/$name" ]; then ip netns delete "$name"; fi
        ;;
esac
