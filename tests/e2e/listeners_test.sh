#!/bin/bash
# Random, truncated, oversized and deeply nested bytes on every listener: an error or a close, never a crash.
. "$(dirname "$0")/lib.sh"
. bazel/dev/up.sh

before=$(for name in $MEMBERS kubelet-node-1 kubelet-node-2; do pid_of "$name"; done)
members_ready() {
    local name
    for name in $MEMBERS; do member_ready "$name" >/dev/null || return 1; done
}
throw() { # NETWORK NAMESPACE, HOST PORT KIND: all listeners at once, since most throws wait for an answer
    nsenter --net="/run/netns/$1" /usr/bin/python3 "$ROOT/tests/e2e/garbage.py" "$DEV/cluster" "$2" "$3" "$4" &
    throwers+=($!)
}
throwers=()
for name in $MEMBERS; do
    throw "$FABRIC" "$(member_ip "$name")" 6443 api
    throw "$FABRIC" "$(member_ip "$name")" 2380 peer
    throw "$FABRIC" "$(member_ip "$name")" 2381 raft
done
for name in $NODES; do throw "$(node_netns "$name")" "$(node_ip "$name")" 10250 kubelet; done
for pid in "${throwers[@]}"; do wait "$pid" || fail 'a listener did not answer as it should: see above'; done
sleep 1
after=$(for name in $MEMBERS kubelet-node-1 kubelet-node-2; do alive "$name" || fail "$name is dead"; pid_of "$name"; done)
[ "$before" = "$after" ] || fail 'a process was replaced'
# A thrown hello takes the place of a member's own connection until that makes the next one.
await 20 'every member to be ready' members_ready
kubectl get --raw /readyz >/dev/null
kubectl create configmap -n default after-garbage --from-literal=a=b
kubectl delete configmap -n default after-garbage
