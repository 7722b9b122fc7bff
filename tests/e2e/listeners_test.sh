#!/bin/bash
# Random, truncated, oversized and deeply nested bytes on every listener: an error or a close, never a crash.
. "$(dirname "$0")/lib.sh"
. bazel/dev/up.sh

before=$(for name in $MEMBERS kubelet-node-1 kubelet-node-2; do pid_of "$name"; done)
members_ready() {
    local name
    for name in $MEMBERS; do member_ready "$name" >/dev/null || return 1; done
}
garbage() { # NETWORK NAMESPACE, HOST PORT KIND
    nsenter --net="/run/netns/$1" /usr/bin/python3 "$ROOT/tests/e2e/garbage.py" "$DEV/cluster" "$2" "$3" "$4"
}
for name in $MEMBERS; do
    garbage "$FABRIC" "$(member_ip "$name")" 6443 api
    garbage "$FABRIC" "$(member_ip "$name")" 2380 peer
    garbage "$FABRIC" "$(member_ip "$name")" 2381 raft
done
for name in $NODES; do
    on_node "$name" /usr/bin/python3 "$ROOT/tests/e2e/garbage.py" "$DEV/cluster" "$(node_ip "$name")" 10250 kubelet
done
sleep 1
after=$(for name in $MEMBERS kubelet-node-1 kubelet-node-2; do alive "$name" || fail "$name is dead"; pid_of "$name"; done)
[ "$before" = "$after" ] || fail 'a process was replaced'
# A thrown hello takes the place of a member's own connection until that makes the next one.
await 20 'every member to be ready' members_ready
kubectl get --raw /readyz >/dev/null
kubectl create configmap -n default after-garbage --from-literal=a=b
kubectl delete configmap -n default after-garbage
