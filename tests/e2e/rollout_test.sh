#!/bin/bash
# A Deployment rolled to a new template and back: never fewer than replicas - maxUnavailable pods serve.
. "$(dirname "$0")/lib.sh"

scratch_namespace roll
deployment web roll 4 one
kubectl -n roll rollout status deployment/web --timeout=90s
serves web roll 4 one
deployment web roll 4 two
kubectl -n roll rollout status deployment/web --timeout=90s
serves web roll 4 two
kubectl -n roll rollout undo deployment/web
kubectl -n roll rollout status deployment/web --timeout=90s
serves web roll 4 one
[ "$(kubectl -n roll get replicasets --no-headers | wc -l)" = 2 ] || fail 'the roll back did not reuse the first ReplicaSet'
kubectl -n roll rollout history deployment/web
