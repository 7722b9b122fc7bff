#!/bin/bash
# Every installed kubectl against one gantryd: what people type first, and what they should see.
# usage: kubectl_test.sh GANTRYD
set -u
gantryd=$1
. "$(dirname "$0")/member.sh"

manifest() { # NAMESPACE REPLICAS
    cat <<YAML
apiVersion: v1
kind: Namespace
metadata:
  name: $1
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: $1
spec:
  replicas: $2
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
      - name: c
        image: i
YAML
}

# A pod on a node that nobody runs, for `drain`, and a budget that allows nothing.
victim() {
    cat <<YAML
apiVersion: v1
kind: Pod
metadata: {name: x, labels: {app: x}}
spec: {nodeName: $1, containers: [{name: c, image: i}]}
YAML
}
budget='{"apiVersion":"policy/v1","kind":"PodDisruptionBudget","metadata":{"name":"b"},"spec":{"minAvailable":1,"selector":{"matchLabels":{"app":"x"}}}}'
drain() { "$kubectl" drain "$1" --ignore-daemonsets --force --grace-period=0 --timeout="$2"; }

n=0
for kubectl in $kubectls; do
    n=$((n + 1))
    ns=t$n
    export HOME=$work/home$n
    mkdir -p "$HOME"
    version=$("$kubectl" version --client 2>/dev/null | head -1)
    k() { "$kubectl" -n "$ns" "$@"; }
    manifest "$ns" 2 >"$work/m.yaml"
    expect "deployment.apps/web created" k apply -f "$work/m.yaml"
    expect "deployment.apps/web unchanged" k apply -f "$work/m.yaml"
    manifest "$ns" 3 >"$work/m.yaml"
    expect "+  replicas: 3" k diff -f "$work/m.yaml"
    expect "deployment.apps/web configured" k apply -f "$work/m.yaml"
    expect "0/3" k get deploy
    expect "SELECTOR" k get deploy -o wide
    expect '"replicas": 3' k get deploy web -o json
    expect "replicas: 3" k get deploy web -o yaml
    expect "deployment.apps/web" k get deploy -l '!none' -o name
    expect "configmap/c created" k create configmap c --from-literal=a=b
    expect "already exists" k create configmap c --from-literal=a=b
    expect "deployment.apps/d created" k create deployment d --image=i
    expect "deployment.apps/d scaled" k scale deploy d --replicas=0
    expect "successfully rolled out" k rollout status deploy d --timeout=20s
    expect "unknown field" k create -f - <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"z"},"datas":{}}'
    expect "labeled" k label configmap c x=y
    expect "service/s created" k create service nodeport s --tcp=80:80 --node-port=$((30000 + n))
    expect "patched" k patch configmap c -p '{"data":{"k":"v"}}'
    expect "x=y" k describe configmap c
    expect "ADDED" timeout 3 "$kubectl" -n "$ns" get configmap c -w --output-watch-events
    expect "NotFound" k get configmap none
    expect "The request is invalid" k patch configmap c --type=json \
        -p '[{"op":"remove","path":"/data/none"}]'
    expect "cannot convert int64 to string" k patch configmap c -p '{"data":{"k":1}}'
    expect "v1 Endpoints is deprecated in v1.33+" k get endpoints
    expect "hides previous definition" k create --dry-run=server -f - \
        <<<"$(victim none | sed 's/image: i/&, env: [{name: A, value: b}, {name: A, value: c}]/')"
    expect "patched" k patch svc s -p '{"spec":{"type":"ClusterIP"}}'
    expect "node/$ns created" k create -f - <<<'{"apiVersion":"v1","kind":"Node","metadata":{"name":"'"$ns"'"}}'
    expect "pod/x created" k create -f - <<<"$(victim "$ns")"
    if [ "$n" = 1 ]; then
        expect "poddisruptionbudget.policy/b created" k create -f - <<<"$budget"
        expect "pod/x patched" k patch pod x --subresource=status -p '{"status":{"phase":"Running"}}'
        expect "violate the pod's disruption budget" drain "$ns" 1s
        expect "poddisruptionbudget.policy/b patched" k patch pdb b --type=merge \
            -p '{"spec":{"unhealthyPodEvictionPolicy":"AlwaysAllow"}}'
    fi
    expect "pod/x evicted" drain "$ns" 20s
    expect "deleted" k delete node "$ns"
    expect 'configmap "c" deleted' k delete configmap c
    expect 'deployment.apps "d" deleted' k delete deploy d
    expect "namespace \"$ns\" deleted" "$kubectl" delete ns "$ns" --timeout=30s
done
kill -0 "$pid" 2>/dev/null || { echo "FAIL: gantryd is gone"; tail -20 "$work/log"; failed=1; }
echo "kubectl_test: $n kubectl versions"
exit $failed
