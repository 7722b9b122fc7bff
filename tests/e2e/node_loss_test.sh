#!/bin/bash
# A node cut off: NotReady after the grace, tainted; back again: Ready, untainted, and its pods as they were.
. "$(dirname "$0")/lib.sh"

before=$(containers_of hello)
ip -n "$FABRIC" link set veth2 down
trap 'ip -n "$FABRIC" link set veth2 up' EXIT
await 60 'node-2 to be NotReady' eval 'kubectl get node node-2 --no-headers | grep -q NotReady'
kubectl get node node-2 -o 'jsonpath={.spec.taints[*].key}' | has node.kubernetes.io/unreachable || fail 'no unreachable taint'
ip -n "$FABRIC" link set veth2 up
trap - EXIT
await 60 'node-2 to be Ready' eval 'kubectl get node node-2 --no-headers | awk "{exit \$2 != \"Ready\"}"'
await 20 'no taint' eval '[ -z "$(kubectl get node node-2 -o jsonpath={.spec.taints})" ]'
sleep 2
[ "$(containers_of hello)" = "$before" ] || fail 'containers changed'
