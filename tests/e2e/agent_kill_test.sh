#!/bin/bash
# A node's agent and containerd killed with -9 in the middle of a rollout: the rollout completes once they
# are back, and every other pod keeps its container id and restart count.
. "$(dirname "$0")/lib.sh"

scratch_namespace agent
before=$(containers_of hello)
deployment web agent 4 one
kubectl -n agent rollout status deployment/web --timeout=90s
deployment web agent 4 two
sleep 0.5
kill -9 "$(pid_of kubelet-node-1)" "$(pid_of containerd-node-1)"
sleep 1
[ "$(containers_of hello)" = "$before" ] || fail 'status changed while the agent was away'
start_containerd node-1
start_kubelet node-1
kubectl -n agent rollout status deployment/web --timeout=90s
serves web agent 4 two
after=$(containers_of hello)
[ "$after" = "$before" ] || fail "containers of the demo changed: before: $before after: $after"
# And the agent alone, with nothing in motion.
kill -9 "$(pid_of kubelet-node-2)"
start_kubelet node-2
sleep 3
[ "$(containers_of hello)" = "$before" ] || fail 'containers of the demo changed when the agent was restarted'
