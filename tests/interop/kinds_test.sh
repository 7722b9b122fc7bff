#!/bin/bash
# Every installed kubectl over every kind there is: discovery, explain, and the life of an object of
# the kinds that are data only; reviews; what client-side validation accepts and refuses.
# usage: kinds_test.sh GANTRYD
# KUBECTLS names further kubectls, with spaces between.
set -u
gantryd=$1
. "$(dirname "$0")/member.sh"

cat >"$work/kinds.yaml" <<'YAML'
apiVersion: v1
kind: ReplicationController
metadata:
  name: rc
spec:
  replicas: 2
  template:
    metadata:
      labels: {a: b}
    spec:
      containers:
      - name: c
        image: i
        ports:
        - containerPort: 80
        env:
        - name: A
          valueFrom: {fieldRef: {fieldPath: metadata.name}}
        resources:
          limits: {cpu: 1, memory: 64Mi}
        livenessProbe:
          httpGet: {path: /, port: http}
        readinessProbe:
          tcpSocket: {port: 80}
---
apiVersion: v1
kind: PodTemplate
metadata:
  name: pt
template:
  metadata:
    labels: {a: b}
  spec:
    containers:
    - name: c
      image: i
---
apiVersion: v1
kind: Endpoints
metadata:
  name: ep
subsets:
- addresses:
  - ip: 10.1.2.3
  ports:
  - port: 80
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: es
addressType: IPv4
endpoints:
- addresses: [10.1.2.3]
  conditions: {ready: true}
ports:
- name: http
  port: 80
---
apiVersion: v1
kind: ResourceQuota
metadata:
  name: rq
spec:
  hard: {pods: 4, requests.cpu: "1"}
---
apiVersion: v1
kind: LimitRange
metadata:
  name: lr
spec:
  limits:
  - type: Container
    max: {cpu: 2}
---
apiVersion: apps/v1
kind: ControllerRevision
metadata:
  name: cr
revision: 1
data:
  spec: {a: 1}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: pdb
spec:
  minAvailable: 50%
  selector: {matchLabels: {app: none}}
YAML

bad='{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"c","image":"i","imagee":"x"}]}}'

# Kinds whose API the oldest kubectl asks for in a version of its time, or verbs it has not.
old() { [[ $version == *v1.2[0-7].* ]]; }

n=0
for kubectl in $kubectls; do
    n=$((n + 1))
    ns=t$n
    export HOME=$work/home$n
    mkdir -p "$HOME"
    version=$("$kubectl" version --client 2>/dev/null | head -1)
    k() { "$kubectl" -n "$ns" "$@"; }
    # Of every kind with one kubectl that reads OpenAPI v2 and one that reads v3: the others read the same.
    if old || [ "$n" = 1 ]; then
        for resource in $("$kubectl" api-resources -o name); do
            # The oldest kubectl takes a group in the name for a field.
            expect "FIELDS" "$kubectl" explain "${resource%%.*}" --recursive
        done
    fi
    expect "livenessProbe" "$kubectl" explain pod.spec.containers --recursive
    expect "Seconds the processes have" "$kubectl" explain pod.spec.terminationGracePeriodSeconds
    old || expect "-required-" "$kubectl" explain deployment.spec
    old || expect "10 when not given" "$kubectl" explain deploy.spec --output=plaintext-openapiv2
    expect "namespace/$ns created" "$kubectl" create ns "$ns"
    for made in replicationcontroller/rc podtemplate/pt endpoints/ep endpointslice.discovery.k8s.io/es \
        resourcequota/rq limitrange/lr controllerrevision.apps/cr \
        poddisruptionbudget.policy/pdb; do
        [ "$made" != endpoints/ep ] ||
            echo 'Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice'
        printf '%s created\n' "$made"
    done >"$work/expected"
    k create -f "$work/kinds.yaml" >"$work/created" 2>&1
    cmp -s "$work/expected" "$work/created" ||
        { echo "FAIL ($version): create:"; sed 's/^/    /' "$work/created"; failed=1; }
    expect "2         0         0" k get rc -o wide
    expect "a=b" k get podtemplates -o wide
    expect "10.1.2.3:80" k get ep -o wide
    expect "IPv4          80      10.1.2.3" k get endpointslices -o wide
    expect "rq" k get quota -o wide
    expect "CREATED AT" k get limits -o wide
    expect "<none>       1" k get controllerrevisions -o wide
    expect "50%             N/A               0" k get pdb -o wide
    for object in rc/rc podtemplate/pt ep/ep quota/rq limits/lr controllerrevision/cr; do
        expect "Name:" k describe "$object"
    done
    old || expect "10.1.2.3" k describe endpointslice es
    old || expect "Min available:" k describe pdb pdb
    sed 's/replicas: 2/replicas: 3/; s/pods: 4/pods: 5/' "$work/kinds.yaml" >"$work/more.yaml"
    expect "replicationcontroller/rc configured" k apply -f "$work/more.yaml"
    expect "podtemplate/pt unchanged" k apply -f "$work/more.yaml"
    expect "scaled" k scale rc rc --replicas=5
    expect '"replicas": 5' k get rc rc -o json
    expect "pods: \"5\"" k get quota rq -o yaml
    expect "created (server dry run)" k create configmap none --from-literal=a=b --dry-run=server
    expect "NotFound" k get configmap none
    expect "imagee" k create -f - <<<"$bad"
    expect "min value 3 is greater than max value 2" k patch limits lr --type=merge \
        -p '{"spec":{"limits":[{"type":"Pod","min":{"cpu":3},"max":{"cpu":2}}]}}'
    expect "yes" k auth can-i delete pods
    expect "*.*" k auth can-i --list
    old || expect "system:masters" k auth whoami
    old || expect "bob" k auth whoami --as=bob
    expect 'User "bob" cannot list resource "pods" in API group "" in the namespace' k get pods --as=bob
    expect "no" k auth can-i delete pods --as=bob
    expect "rq" k get quota --as=bob --as-group=system:masters
    expect 'limitrange "lr" deleted' k delete -f "$work/kinds.yaml" --wait=false
    expect "namespace \"$ns\" deleted" "$kubectl" delete ns "$ns" --timeout=30s
done
kill -0 "$pid" 2>/dev/null || { echo "FAIL: gantryd is gone"; tail -20 "$work/log"; failed=1; }
echo "kinds_test: $n kubectl versions"
exit $failed
