#!/bin/bash
# gantry's apply, create, edit and delete beside the newest kubectl's on one member: the same lines, exit codes and
# objects; and both tools in turns on one object.
# usage: cli_act_test.sh GANTRYD GANTRY
set -u
gantryd=$1
gantry=$2
. "$(dirname "$0")/member.sh"

mkdir -p "$work/bin" "$work/home"
export HOME=$work/home
# Manifests are named as in the messages.
gantry=$(realpath "$gantry")
newest=$(printf '%s\n' $kubectls | sort -t. -k3 -n | tail -1)
ln -s "$newest" "$work/bin/kubectl"
k=$work/bin/kubectl
version=$("$k" version --client 2>/dev/null | head -1)
"$k" create namespace of-g >/dev/null
"$k" create namespace of-k >/dev/null
cd "$work" || exit 1

fail() {
    echo "FAIL: $1"
    sed 's/^/    /' <<<"$2"
    failed=1
}
# What differs by nature: the tools' and the namespaces' names.
plain() { sed -E -e 's/gantry/kubectl/g; s/of-[gk]/NS/g; s/edit-[0-9]+/edit-N/g' "$@"; }
# both [-X] [-E] WORD...: output, errors and exit code are the same; -X: errors are not compared, -E: output is not.
both() {
    local part parts='out err' gcode=0 kcode=0
    [ "$1" = -X ] && parts=out && shift
    [ "$1" = -E ] && parts=err && shift
    timeout 30 "$gantry" -n of-g "$@" >g.out 2>g.err <"${input:-/dev/null}" || gcode=$?
    timeout 30 "$k" -n of-k "$@" >k.out 2>k.err <"${input:-/dev/null}" || kcode=$?
    [ "$gcode" = "$kcode" ] || fail "$*: gantry ended with $gcode, kubectl with $kcode" "$(cat g.err)"
    for part in $parts; do
        diff <(plain g.$part) <(plain k.$part) >difference || fail "$* ($part): gantry <, kubectl >" "$(cat difference)"
    done
}
# The object is the same in both namespaces, and so is who set which of its fields.
same() { # TYPE NAME
    local tool
    for tool in g k; do
        {
            "$k" -n of-$tool get "$@" -o yaml |
                sed -e '/^status:/,$d' -E -e '/^ *(resourceVersion|uid|creationTimestamp|clusterIP|deployment.kubernetes.io.revision):|^ *- 10\./d'
            "$k" -n of-$tool get "$@" --show-managed-fields -o \
                jsonpath='{range .metadata.managedFields[*]}{.manager} {.operation} {.subresource} {.fieldsV1}{"\n"}{end}' |
                grep -v '^kube-controller-manager ' | sort
        } | plain >$tool.yaml
    done
    diff g.yaml k.yaml >difference || fail "$* differs: gantry <, kubectl >" "$(cat difference)"
}

web() { # REPLICAS IMAGE [ENVIRONMENT]
    cat <<YAML
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: $1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: c, image: $2, env: [${3:-}], ports: [{containerPort: 80}]}
      - {name: side, image: i}
      volumes: [{name: v, emptyDir: {}}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, name: http}, {port: 81, name: x}]}
YAML
}
map() { printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata: {%s}\n' "$1" "${2:-}"; }

manifests() {
    map a 'x: "1"' >good.yaml
    printf '%s\n---\nfoo: [\n' "$(map b)" >broken.yaml
    printf 'kind: ConfigMap\nmetadata: {name: b}\n' >no-version.yaml
    printf 'apiVersion: v1\nmetadata: {name: b}\n' >no-kind.yaml
    printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\ndatas: {x: "1"}\n' >unknown-field.yaml
    printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n' >no-name.yaml
    printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b, namespace: other}\n' >other.yaml
    printf '[1, 2]\n' >list.yaml
    : >empty.yaml
    printf '{"apiVersion":"v1",' >broken.json
    { map l1 && echo --- && map l2 'y: "1"'; } >two.yaml
    printf '{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"i1"}}]}' >items.json
    mkdir -p folder/deeper only-text
    map f1 >folder/f1.yml && map f2 >folder/deeper/f2.yaml && echo no >only-text/x.txt
    for f in good no-version no-kind unknown-field no-name other list empty two good; do both apply -f $f.yaml; done
    both -X apply -f broken.yaml # the two count lines otherwise
    both apply -f broken.json
    both apply -f items.json
    both apply -f folder
    both apply -R -f folder
    both apply -f only-text
    both apply -f good.yaml -o jsonpath='{.metadata.name}{"\n"}'
    both apply -f good.yaml -o wide
    both apply -f none.yaml
    both apply -f two.yaml -f good.yaml -l a=b
    both apply
    both apply -f good.yaml x
    input=two.yaml both apply -f -
    same configmap a
    same configmap i1
}

appliers() {
    web 2 i '{name: A, value: "1"}, {name: B, value: "2"}' >web.yaml
    both apply -f web.yaml
    both apply -f web.yaml
    both apply -f web.yaml --dry-run=server
    both apply -f web.yaml --dry-run=client
    same deployment web
    web 3 j '{name: B, value: "3"}' | sed 's/emptyDir: {}/hostPath: {path: \/x}/; /name: side/d; s/, {port: 81.*}]/]/' >less.yaml
    both apply -f less.yaml --dry-run=server -o name
    both apply -f less.yaml
    both apply -f less.yaml
    same deployment web
    same service web
    sed 's/app: web}}$/app: other}}/' web.yaml >immutable.yaml
    both apply -f immutable.yaml
    both apply --server-side -f web.yaml
    both apply --server-side --force-conflicts -f web.yaml
    both apply --server-side -f less.yaml
    same deployment web
    both apply --server-side --field-manager=other -f web.yaml
    both apply --server-side --dry-run=server --field-manager=other --force-conflicts -f web.yaml
    map made >made.yaml
    both create -f made.yaml
    both apply -f made.yaml
    both create -f made.yaml
    same configmap made
}

# One object, both tools in turns: no drift.
turns() {
    local ns=of-g
    web 2 i '{name: A, value: "1"}, {name: B, value: "2"}' >web.yaml
    "$gantry" -n $ns delete -f web.yaml --wait=false >/dev/null
    expect "deployment.apps/web created" "$k" -n $ns apply -f web.yaml
    expect "deployment.apps/web unchanged" "$gantry" -n $ns apply -f web.yaml
    expect "deployment.apps/web unchanged" "$k" -n $ns apply -f web.yaml
    web 2 i '{name: B, value: "2"}' >web.yaml
    expect "deployment.apps/web configured" "$gantry" -n $ns apply -f web.yaml
    expect "deployment.apps/web unchanged" "$k" -n $ns apply -f web.yaml
    expect "=B=" "$k" -n $ns get deployment web -o jsonpath='={.spec.template.spec.containers[0].env[*].name}='
    expect "serverside-applied" "$gantry" -n $ns apply --server-side -f web.yaml
    expect "serverside-applied" "$k" -n $ns apply --server-side -f web.yaml
    # The server writes the annotation in its own way: the first apply after that sets it.
    "$k" -n $ns apply -f web.yaml >/dev/null
    expect "deployment.apps/web unchanged" "$gantry" -n $ns apply -f web.yaml
    expect "service/web unchanged" "$k" -n $ns apply -f web.yaml
}

edits() {
    map e 'x: "1", z: "1"' >e.yaml
    both apply -f e.yaml
    KUBE_EDITOR='sed -i -e s/x:.*/x:\ \"2\"/ -e /z:/d' both edit configmap e
    same configmap e
    KUBE_EDITOR=true both edit configmap e
    KUBE_EDITOR=true both edit configmap none
    KUBE_EDITOR='sed -i s/replicas:.*/replicas:\ -5/' both edit deployment web
    KUBE_EDITOR='sed -i s/\"2\"/\"5\"/' both -E edit configmap e -o json
    expect "=5=" "$k" -n of-g get configmap e -o jsonpath='={.data.x}='
}

deletions() {
    both delete configmap a --dry-run=client
    both delete configmap a --dry-run=server
    both delete configmap a none
    both delete configmap a
    both delete configmap a --ignore-not-found
    both delete configmap
    both delete
    both delete -f two.yaml
    both delete -f two.yaml
    both delete configmap e -o name
    both delete configmap e --all
    both delete configmap --all -l a=b
    both delete configmap -l a=b
    both delete configmap x --force --grace-period=3
    both delete configmap x --cascade=never
    both delete configmap f1 --force
    both delete service,deployment web
    both delete configmap --all
    for ns in g k; do "$k" -n of-$ns create -f - <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"held","finalizers":["x.y/z"]}}' >/dev/null; done
    both delete configmap held --timeout=1s
    # The wait ends with the object, not before.
    "$gantry" -n of-g delete configmap held >held.out 2>&1 &
    local waiting=$!
    expect "=x.y/z=" "$k" -n of-g get configmap held -o jsonpath='={.metadata.finalizers[0]}='
    kill -0 "$waiting" 2>/dev/null || fail 'delete did not wait' "$(cat held.out)"
    "$k" -n of-g patch configmap held --type=merge -p '{"metadata":{"finalizers":null}}' >/dev/null
    wait "$waiting" || fail 'delete failed' "$(cat held.out)"
}

for part in manifests appliers turns edits deletions; do $part; done
kill -0 "$pid" 2>/dev/null || { echo "FAIL: gantryd is gone"; tail -20 "$work/log"; failed=1; }
exit $failed
