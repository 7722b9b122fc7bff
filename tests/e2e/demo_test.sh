#!/bin/bash
# The demo: three pods on two nodes serve the ConfigMap's page; its logs, a change of scale, a change of
# the page; and the verbs a person tries first.
. "$(dirname "$0")/lib.sh"

[ "$(kubectl -n hello get deployment hello -o 'jsonpath={.status.availableReplicas}')" = 3 ] || fail 'the demo is not available'
[ "$(kubectl -n hello get pods -o 'jsonpath={range .items[*]}{.spec.nodeName}{"\n"}{end}' | sort -u | wc -l)" = 2 ] ||
    fail 'the demo is not on both nodes'
for ip in $(kubectl -n hello get pods -o 'jsonpath={.items[*].status.podIP}'); do
    for node in $NODES; do
        on_node "$node" timeout 5 busybox wget -qO- "http://$ip:8080/" | has 'Hello from Gantry' || fail "no page from $ip"
    done
done
pod=$(kubectl -n hello get pods -o 'jsonpath={.items[0].metadata.name}')
kubectl -n hello logs "$pod" | has 'response:200' || fail 'no log line of a request'
kubectl -n hello scale deployment/hello --replicas=5
kubectl -n hello rollout status deployment/hello --timeout=60s
kubectl -n hello scale deployment/hello --replicas=3
kubectl -n hello rollout status deployment/hello --timeout=60s
await 30 'three pods' eval '[ "$(kubectl -n hello get pods --no-headers | wc -l)" = 3 ]'
kubectl -n hello get pods -o wide
kubectl -n hello get deployment,replicaset,pod -l app=hello -o name
kubectl -n hello describe pod "$(kubectl -n hello get pods -o 'jsonpath={.items[0].metadata.name}')" | has Scheduled ||
    fail 'describe shows no Scheduled event'
kubectl get nodes -o yaml >/dev/null
kubectl get namespaces -o json | has '"hello"'
