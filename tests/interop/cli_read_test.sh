#!/bin/bash
# gantry's reading verbs beside kubectl's, against one member: output, errors and exit codes are the
# same to the byte, but for the program's name and for ages. Then what is gantry's own: colours,
# completion in a real bash, watches, waiting.
# usage: cli_read_test.sh GANTRYD GANTRY
set -u
gantryd=$(readlink -f "$1")
gantry=$(readlink -f "$2")
. "$(dirname "$0")/member.sh"

# The newest kubectl there is: the others word some things otherwise.
kubectl=$(ls "$bin"/kubectl.1.[0-9]* "$bin"/kubectl 2>/dev/null | sort -V | grep -v 'kubectl$' | tail -1)
kubectl=${kubectl:-$bin/kubectl}
version=$("$kubectl" version --client 2>/dev/null | head -1)
export HOME=$work

cat >"$work/objects.yaml" <<'YAML'
apiVersion: v1
kind: Namespace
metadata: {name: t1, labels: {team: blue}, annotations: {note: hello there}}
---
apiVersion: v1
kind: Node
metadata: {name: n1, labels: {zone: a, node-role.kubernetes.io/worker: ""}}
spec: {podCIDR: 10.1.0.0/24, taints: [{key: k, value: v, effect: NoSchedule}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: cm1, namespace: t1, labels: {app: web, x.y/z: q}}
data: {a: "1"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: cm2, namespace: t1, labels: {app: db}}
binaryData: {bin: AAEC}
---
apiVersion: v1
kind: Secret
metadata: {name: s1, namespace: t1}
stringData: {password: hunter2}
---
apiVersion: v1
kind: Service
metadata: {name: svc, namespace: t1}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}, {name: dns, port: 53, protocol: UDP}]}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: sa, namespace: t1}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: rq, namespace: t1}
spec: {hard: {pods: 40, requests.cpu: "10"}}
---
apiVersion: v1
kind: LimitRange
metadata: {name: lr, namespace: t1}
spec: {limits: [{type: Container, max: {cpu: 2}}]}
---
apiVersion: v1
kind: Pod
metadata: {name: lone, namespace: t1, labels: {app: lone}}
spec: {containers: [{name: c, image: x}], nodeSelector: {nowhere: "true"}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: t1, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      initContainers: [{name: i, image: busybox}]
      containers:
      - name: c
        image: nginx:1
        ports: [{containerPort: 80}]
        env: [{name: A, value: b}, {name: P, valueFrom: {fieldRef: {fieldPath: metadata.name}}}, {name: S, valueFrom: {secretKeyRef: {name: s1, key: password}}}]
        resources: {limits: {cpu: 1, memory: 64Mi}, requests: {cpu: 500m}}
        livenessProbe: {httpGet: {path: /, port: 80}}
        readinessProbe: {exec: {command: [cat, /x]}}
        volumeMounts: [{name: v, mountPath: /v}, {name: cfg, mountPath: /cfg, readOnly: true, subPath: a}]
      - name: d
        image: busybox
        command: [sh, -c]
        args: ["echo hi; sleep 1"]
      volumes: [{name: v, emptyDir: {}}, {name: cfg, configMap: {name: cm1}}, {name: sec, secret: {secretName: s1}}, {name: hp, hostPath: {path: /tmp}}]
      nodeSelector: {zone: nowhere}
      tolerations: [{key: k, operator: Exists, effect: NoSchedule}]
YAML
"$kubectl" create -f "$work/objects.yaml" >/dev/null || exit 1
mkdir -p "$work/folder/below"
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cm1, namespace: t1, labels: {app: web}}\n' >"$work/folder/a.yaml"
printf 'apiVersion: v1\nkind: Secret\nmetadata: {name: s1, namespace: t1}\n' >"$work/folder/below/b.yaml"
printf 'apiVersion: v1\nkind: Nope\nmetadata: {name: x}\n' >"$work/bad.yaml"
printf -- '---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: cm1}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: nope}\n' >"$work/half.yaml"
cd "$work" # so that both programs name files alike
"$kubectl" -n t1 wait --for=jsonpath='{.status.replicas}'=2 deploy/web --timeout=20s >/dev/null || exit 1
"$kubectl" -n t1 wait --for=condition=PodScheduled=false pod --all --timeout=20s >/dev/null || exit 1
"$kubectl" wait --for=jsonpath='{.spec.taints[1].key}' node/n1 --timeout=5s >/dev/null 2>&1

# Ages, and the blanks around them, are not the same a moment later.
ages='s/[0-9]+(s|m|h)([0-9]+s)?( \(x[0-9]+ over [0-9smh]+\))?/AGE/g; s/ +/ /g; s/-+/-/g'
compared=0
# same WORDS: both programs do the same with them.
same() {
    local code
    eval "\"$kubectl\" $1" >"$work/k.out" 2>"$work/k.err" </dev/null
    code=$?
    eval "\"$gantry\" $1" >"$work/g.out" 2>"$work/g.err" </dev/null
    [ $? = $code ] || { echo "FAIL: $1: kubectl ends with $code"; failed=1; }
    sed -i "s/$(basename "$kubectl")/gantry/g; s/kubectl/gantry/g" "$work/k.err"
    for f in k.out g.out; do
        [ -n "${2:-}" ] && sed -Ei "$ages" "$work/$f"
    done
    cmp -s "$work/k.out" "$work/g.out" && cmp -s "$work/k.err" "$work/g.err" ||
        { echo "FAIL: $1:"; diff "$work/k.out" "$work/g.out" | head -8; diff "$work/k.err" "$work/g.err" | head -8; failed=1; }
    compared=$((compared + 1))
}

while IFS= read -r line; do
    [ -n "$line" ] && same "$line"
done <<'EOS'
get pods
get all -n none
get cm -n t1 -l '!!'
get cm -n t1 --field-selector foo=cm1
get cm -n t1 cm1 -l a=b
get cm/cm1 -n t1 -l a=b
get cm -n t1 cm1 -A
get cm nope -n t1
get cm -n t1 nope --ignore-not-found
get cm -n t1 -o name
get deploy,cm,svc -n t1 -o name
get cm cm1 -n t1 -o yaml
get cm cm1 -n t1 -o yaml --show-managed-fields
get cm cm1 -n t1 -o json
get cm,secret -n t1 -o json
get cm cm1 nope -n t1 -o json
get deploy web -n t1 -o yaml
get pods -n t1 -o yaml
get cm -A --chunk-size=2 -o name
get cm -n t1 -o jsonpath={.items[*].metadata.name}
get cm -n t1 -o 'jsonpath={range .items[*]}{.metadata.name}{"\t"}{.data.a}{"\n"}{end}'
get deploy web -n t1 -o jsonpath={.spec}
get deploy web -n t1 -o 'jsonpath={.spec.template.spec.containers[?(@.name=="d")].image}'
get deploy web -n t1 -o jsonpath={.spec.template.spec.containers[0,1].name}
get deploy web -n t1 -o jsonpath={.spec.template.spec.containers[-1:].name}
get cm cm1 -n t1 -o jsonpath='{.metadata.labels.x\.y/z}'
get cm -n t1 -o jsonpath-as-json={.items[*].metadata.labels}
get cm -n t1 -o jsonpath='{.items[0'
get cm -n t1 -o jsonpath='{#}'
get cm -n t1 -o custom-columns=NAME:.metadata.name,APP:.metadata.labels.app,NO:.nope
get deploy -n t1 -o custom-columns=I:.spec.template.spec.containers[*].image,C:.spec.template.spec.containers[1]
get deploy -n t1 -o custom-columns=I
get deploy -n t1 -o xml
get cm -n t1 --output-watch-events
get --raw /api
get --raw /nope
get nosuch
get pods/x y
get pods/x/y
get
get cm -n
get cm --foo
get cm -z
get cm --show-labels=x
get ns --request-timeout=x
api-resources
api-resources -o wide
api-resources -o name --verbs=list,watch
api-resources --namespaced=false --no-headers
api-resources --api-group=apps --sort-by=name
api-resources foo
api-versions
wait
wait pods --for=delete
wait --for=foo pod/x
wait --for=delete pod/nope -n t1
wait --for=condition=Ready pod/nope -n t1
wait --for=condition=Ready pod/lone -n t1 --timeout=1s
wait --for=condition=Ready pod/lone -n t1 --timeout=0
wait --for=condition=PodScheduled=false pod --all -n t1 --timeout=5s
wait --for=jsonpath={.status.phase}=Running pod --all -n t1 --timeout=1s
wait --for=jsonpath={.spec}=x pod lone -n t1 --timeout=1s
wait --for=delete pod lone -n t1 --timeout=1s
wait --for=condition=x cm -l zip=zap -n t1 --timeout=1s
wait --for=jsonpath={.status.phase}=Pending pod/lone -n t1 -o name
explain pods
explain pods.foo
explain deploy.spec
explain deploy.spec.template.spec.containers.env
explain deploy --recursive
explain svc.spec.ports.targetPort
explain nosuch
explain
describe
describe pods x
describe cm cm1 -n t1
describe secret -n t1
describe ns t1
describe quota rq -n t1
describe limits -n t1
describe sa -n t1
describe svc -n t1
get -f folder -n t1 -o yaml
get -f folder -R -o name
get -f half.yaml -n t1 -o json
get -f folder -R -l app=web -o name
get -f - -o json <folder/a.yaml
get -f folder cm
get -f bad.yaml
get cm cm1 -n t1 -w -o name --request-timeout=1s
get cm cm1 -n t1 -w -o name --output-watch-events --request-timeout=1s
get cm cm1 -n t1 -o YAML
api-resources --cached
get -f nosuch.yaml
describe -Rf folder
describe -f half.yaml -n t1
describe -f folder cm
wait --for=jsonpath={.metadata.name}=cm1 -f folder --timeout=5s
wait --for=delete -f folder -R --timeout=0
wait --for=delete -f half.yaml -n t1 --timeout=0
wait --for=delete -f folder cm
EOS
while IFS= read -r line; do
    [ -n "$line" ] && same "$line" ages
done <<'EOS'
get cm -n t1
get cm -A -o wide
get deploy,cm,svc -n t1
get deploy,cm,svc -A
get ns,nodes
get cm/cm1 deploy/web po/zip -n t1
get cm -n t1 --show-labels
get cm -n t1 -L app -L x.y/z,nope
get cm,svc -n t1 --no-headers
get cm -n t1 --sort-by={.metadata.labels.app}
get deploy -n t1 --show-kind
get deploy web -n t1 --subresource=scale
get -f folder -R
get -f half.yaml -n t1 --show-labels -L app
describe pods -n t1
describe deploy -n t1
describe rs -n t1
describe node n1
EOS

# ---- what is gantry's own ----
esc=$(printf '\033')
expect "$esc[1mNAME" "$gantry" get ns --color=always
expect "$esc[32mActive" "$gantry" get ns --color=always
"$gantry" get ns | grep -q "$esc" && { echo "FAIL: colours in a pipe"; failed=1; }
expect "NAME" env NO_COLOR=1 "$gantry" get ns

# Completion, in a real bash: what the script leaves in COMPREPLY.
completes() {
    PATH="$(dirname "$gantry"):$PATH" bash --norc -c 'source <(gantry completion bash)
        COMP_LINE=$1 COMP_POINT=${#1}
        _gantry
        printf "%s\n" "${COMPREPLY[@]}"' - "$1"
}
expect "describe" completes "gantry desc"
expect "--show-labels" completes "gantry get --show-l"
expect "pods" completes "gantry get po"
expect "cm2" completes "gantry get cm -n t1 c"
expect "cm/cm1" completes "gantry -n t1 get cm/c"
expect "yaml" completes "gantry get --output=ya"

# A watch shows what there is and what comes; wait notices it by watching, too.
"$gantry" -n t1 get cm cm1 -w -o jsonpath='{.data.a};' >"$work/watched" &
watcher=$!
"$gantry" -n t1 wait --for=jsonpath='{.data.a}'=2 cm/cm1 --timeout=20s >"$work/waited" 2>&1 &
waiter=$!
for _ in $(seq 100); do
    grep -q '1;' "$work/watched" && break
    sleep 0.1
done
"$kubectl" -n t1 patch cm cm1 --type=merge -p '{"data":{"a":"2"}}' >/dev/null
wait $waiter || { echo "FAIL: wait: $(cat "$work/waited")"; failed=1; }
expect "configmap/cm1 condition met" cat "$work/waited"
for _ in $(seq 100); do
    grep -q '2;' "$work/watched" && break
    sleep 0.1
done
expect "1;2;" cat "$work/watched"
kill $watcher
wait $watcher 2>/dev/null
"$kubectl" -n t1 delete cm cm2 >/dev/null
expect "condition met" "$gantry" -n t1 wait --for=create cm/cm1

kill -0 "$pid" 2>/dev/null || { echo "FAIL: gantryd is gone"; tail -20 "$work/log"; failed=1; }
echo "cli_read_test: $compared commands compared with $version"
exit $failed
