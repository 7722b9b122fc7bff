#!/bin/bash
# Every kubectl found on this machine does its everyday verbs against the cluster.
. "$(dirname "$0")/lib.sh"

one_kubectl() {
    local k=$1 version ns
    version=$("$k" version --client -o json 2>/dev/null | sed -n 's/.*"gitVersion": "v\([0-9.]*\).*/\1/p')
    ns=kubectl-$(echo "$version" | tr . -)
    echo "== kubectl $version"
    "$k" create namespace "$ns"
    "$k" -n "$ns" create configmap settings --from-literal=a=1
    "$k" -n "$ns" get configmap settings -o 'jsonpath={.data.a}' | has -x 1
    "$k" -n "$ns" create secret generic keys --from-literal=k=v
    "$k" -n "$ns" apply -f - <<'YAML'
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {tier: front}}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - {name: sh, image: "localhost/busybox:latest", imagePullPolicy: IfNotPresent, command: [sh, -c, "echo started; exec sleep 1000"]}
YAML
    "$k" -n "$ns" rollout status deployment/web --timeout=60s
    "$k" -n "$ns" logs -l app=web | has started
    "$k" -n "$ns" get deployments -l tier=front -o name | has -x deployment.apps/web
    [ -z "$("$k" -n "$ns" get deployments -l tier=back -o name)" ]
    "$k" -n "$ns" scale deployment/web --replicas=2
    "$k" -n "$ns" rollout status deployment/web --timeout=60s
    "$k" -n "$ns" get pods -o wide
    "$k" -n "$ns" label pods -l app=web extra=yes
    "$k" -n "$ns" annotate deployment/web note=hello
    "$k" -n "$ns" patch deployment web -p '{"spec":{"template":{"metadata":{"labels":{"v":"2"}}}}}'
    "$k" -n "$ns" rollout status deployment/web --timeout=60s
    "$k" -n "$ns" describe deployment web | has ScalingReplicaSet
    "$k" get nodes -o yaml >/dev/null
    "$k" -n "$ns" get all
    timeout 5 "$k" -n "$ns" get pods -w --no-headers | head -n 1
    "$k" -n "$ns" delete deployment web
    "$k" delete namespace "$ns" --timeout=60s
    ! "$k" get namespace "$ns" 2>&1 | has -v NotFound
}

found=0
for k in $(command -v kubectl) "$(dirname "$(readlink -f "$(command -v kubectl)")")"/kubectl.1.*; do
    [ -x "$k" ] || continue
    one_kubectl "$k" || fail "$k"
    found=$((found + 1))
done
echo "figure kubectl versions=$found"
