#!/bin/bash
# Random, truncated, oversized and deeply nested bytes on every listener: an error or a close, never a crash.
. "$(dirname "$0")/lib.sh"

before=$(for name in $MEMBERS kubelet-node-1 kubelet-node-2; do pid_of "$name"; done)
for name in $MEMBERS; do
    nsenter --net="/run/netns/$FABRIC" /usr/bin/python3 "$ROOT/tests/e2e/garbage.py" "$DEV/cluster" "$(member_ip "$name")" 6443 api
    nsenter --net="/run/netns/$FABRIC" /usr/bin/python3 "$ROOT/tests/e2e/garbage.py" "$DEV/cluster" "$(member_ip "$name")" 2380 peer
done
for name in $NODES; do
    on_node "$name" /usr/bin/python3 "$ROOT/tests/e2e/garbage.py" "$DEV/cluster" "$(node_ip "$name")" 10250 kubelet
done
/usr/bin/python3 "$ROOT/tests/e2e/garbage.py" "$DEV/cluster" unix "$DEV/raft" raft
sleep 1
after=$(for name in $MEMBERS kubelet-node-1 kubelet-node-2; do alive "$name" || fail "$name is dead"; pid_of "$name"; done)
[ "$before" = "$after" ] || fail 'a process was replaced'
kubectl get --raw /readyz >/dev/null
kubectl create configmap -n default after-garbage --from-literal=a=b
kubectl delete configmap -n default after-garbage
