#!/bin/bash
# Server-side apply and field managers with every installed kubectl against one gantryd.
# usage: kubectl_apply_test.sh GANTRYD
set -u
gantryd=$1
. "$(dirname "$0")/member.sh"

fail() {
    echo "FAIL ($version): $1"
    sed 's/^/    /' <<<"$2"
    failed=1
}
# managers KIND NAME LINE...: the object's managers are exactly these, one "name operation sub" each.
managers() {
    local got want
    got=$(k get "$1" "$2" --show-managed-fields -o jsonpath='{range .metadata.managedFields[*]}{.manager} {.operation} {.subresource}{"\n"}{end}' |
        sed 's/ *$//' | grep -v '^kube-controller-manager' | sort)
    want=$(printf '%s\n' "${@:3}" | sort)
    [ "$got" = "$want" ] || fail "managers of $1 $2 are not: ${*:3}" "$got"
}

web() { # REPLICAS [LINE OF METADATA]
    cat <<YAML
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels:
    app: web
${2:-}
spec:
  replicas: $1
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
        ports:
        - containerPort: 80
YAML
}

map() { # DATA...
    printf 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: m\ndata:\n'
    printf '  %s\n' "$@"
}

# Two appliers of one map: conflict, force, sharing, and what goes with its last owner.
appliers() {
    map 'a: "1"' 'b: "1"' >"$work/m.yaml"
    expect "configmap/m serverside-applied" k apply --server-side --field-manager=one -f "$work/m.yaml"
    rv=$(k get configmap m -o jsonpath='{.metadata.resourceVersion}')
    expect "configmap/m serverside-applied" k apply --server-side --field-manager=one -f "$work/m.yaml"
    expect "=$rv=" k get configmap m -o jsonpath='={.metadata.resourceVersion}='
    map 'a: "2"' 'c: "2"' >"$work/n.yaml"
    expect 'conflict with "one": .data.a' k apply --server-side --field-manager=two -f "$work/n.yaml"
    expect "serverside-applied" k apply --server-side --field-manager=two --force-conflicts -f "$work/n.yaml"
    managers configmap m "one Apply" "two Apply"
    map 'c: "2"' >"$work/m.yaml"
    expect "serverside-applied" k apply --server-side --field-manager=one -f "$work/m.yaml"
    expect '{"a":"2","c":"2"}' k get configmap m -o jsonpath='{.data}'
    map 'a: "2"' >"$work/n.yaml"
    expect "serverside-applied" k apply --server-side --field-manager=two -f "$work/n.yaml"
    expect '{"a":"2","c":"2"}' k get configmap m -o jsonpath='{.data}'
    expect "serverside-applied (server dry run)" k apply --server-side --field-manager=two \
        --dry-run=server -f "$work/m.yaml"
    expect "field not declared in schema" k apply --server-side --validate=false -f - \
        <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"datas":{}}'
    # All that is wrong is said at once.
    for line in "errors:" "  .datas: field not declared in schema" '  .immutable: expected boolean, got &{1}'; do
        expect "$line" k apply --server-side --validate=false -f - \
            <<<'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"datas":{},"immutable":1}'
    done
}

# From client-side apply to server-side apply and back.
migration() {
    web 2 >"$work/w.yaml"
    expect "deployment.apps/web created" k apply -f "$work/w.yaml"
    managers deployment web "kubectl-client-side-apply Update"
    web 3 >"$work/w.yaml"
    expect "deployment.apps/web serverside-applied" k apply --server-side -f "$work/w.yaml"
    expect "serverside-applied" k apply --server-side -f "$work/w.yaml"
    managers deployment web "kubectl Apply" "kubectl-last-applied Apply"
    expect '"replicas": 3' k apply view-last-applied deployment web -o json
    web 4 >"$work/w.yaml"
    expect "deployment.apps/web configured" k apply -f "$work/w.yaml"
    expect "=4=" k get deployment web -o jsonpath='={.spec.replicas}='
    web 4 '  annotations: {x: v}' >"$work/w.yaml"
    expect "+    x: v" k diff --server-side --force-conflicts -f "$work/w.yaml"
    expect "deployment.apps/web unchanged" k apply -f <(web 4)
}

# Each verb is a manager of its own.
verbs() {
    expect "created" k create deployment d --image=i
    managers deployment d "kubectl-create Update"
    expect "labeled" k label deployment d a=b
    expect "deployment.apps/d annotate" k annotate deployment d a=b
    expect "scaled" k scale deployment d --replicas=0
    expect "restarted" k rollout restart deployment d
    expect "image updated" k set image deployment/d i=j
    expect "patched" k patch deployment d -p '{"spec":{"minReadySeconds":1}}'
    expect "edited" env KUBE_EDITOR="sed -i s/revisionHistoryLimit:.*/revisionHistoryLimit:\ 5/" \
        "$kubectl" -n "$ns" edit deployment d
    managers deployment d "kubectl-create Update" "kubectl-label Update" "kubectl-annotate Update" \
        "kubectl Update scale" "kubectl-rollout Update" "kubectl-set Update" \
        "kubectl-patch Update" "kubectl-edit Update"
    out=$(k get deployment d -o yaml)
    grep -q managedFields <<<"$out" && fail "managedFields are shown unasked" "$out"
    expect "f:minReadySeconds: {}" k get deployment d -o yaml --show-managed-fields
    expect "patched" k patch deployment d --type=merge -p '{"metadata":{"managedFields":[{}]}}'
    expect "==" k get deployment d --show-managed-fields -o jsonpath='={.metadata.managedFields}='
}

# The status and the scale have doors of their own.
subresources() {
    web 2 >"$work/w.yaml"
    expect "serverside-applied" k apply --server-side --force-conflicts -f "$work/w.yaml"
    expect "scaled" k scale deployment web --replicas=5
    expect 'conflict with "kubectl" with subresource "scale" using apps/v1: .spec.replicas' \
        k apply --server-side -f "$work/w.yaml"
    expect "serverside-applied" k apply --server-side -f <(web 5)
    printf 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nstatus: {collisionCount: 7}\n' \
        >"$work/s.yaml"
    # Younger kubectls apply a status too.
    if k apply --help | grep -q -- --subresource; then
        expect "serverside-applied" k apply --server-side --subresource=status --field-manager=s -f "$work/s.yaml"
        expect "s Apply status" k get deployment web --show-managed-fields -o \
            jsonpath='{range .metadata.managedFields[*]}{.manager} {.operation} {.subresource}{"\n"}{end}'
    fi
    expect "patched" k patch deployment web --subresource=status --type=merge \
        -p '{"status":{"collisionCount":8}}'
    expect "kubectl-patch Update status" k get deployment web --show-managed-fields -o \
        jsonpath='{range .metadata.managedFields[*]}{.manager} {.operation} {.subresource}{"\n"}{end}'
}

n=0
for kubectl in $kubectls; do
    n=$((n + 1))
    ns=t$n
    export HOME=$work/home$n
    mkdir -p "$HOME"
    # A manager's name begins with the program's.
    if [ "${kubectl##*/}" != kubectl ]; then
        ln -s "$kubectl" "$HOME/kubectl"
        kubectl=$HOME/kubectl
    fi
    version=$("$kubectl" version --client 2>/dev/null | head -1)
    k() { "$kubectl" -n "$ns" "$@"; }
    expect "created" k create namespace "$ns"
    appliers
    migration
    verbs
    subresources
done
kill -0 "$pid" 2>/dev/null || { echo "FAIL: gantryd is gone"; tail -20 "$work/log"; failed=1; }
echo "kubectl_apply_test: $n kubectl versions"
exit $failed
