# Shared by the tests of a whole cluster: they run against what `./dev up` started.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. bazel/dev/lib.sh
. bazel/dev/node.sh
export KUBECONFIG=$KUBECONFIG_FILE

fail() {
    echo "FAIL: $*" >&2
    exit 1
}

# As grep -q, but to the end of what comes: who writes to a pipe that nobody reads any more fails, and so would the line.
has() { grep "$@" >/dev/null; }

# A namespace for one test, gone when the test ends.
scratch_namespace() {
    kubectl create namespace "$1"
    # shellcheck disable=SC2064 # the name is this call's
    trap "kubectl delete namespace $1 --wait=false >/dev/null 2>&1 || true" EXIT
}

leader() { "$PROGRAMS/gantry" status --leader; }
follower() {
    local name leads
    leads=$(leader)
    for name in $MEMBERS; do
        [ "$name" = "$leads" ] || { echo "$name" && return; }
    done
}

# digests GROUP: one line a member, "APPLIED DIGEST".
digests() { "$PROGRAMS/gantry" status | awk -v g="$1" '$3 == g {print $6, $8}'; }
digests_agree() { [ "$(digests "$1" | wc -l)" = 3 ] && [ "$(digests "$1" | sort -u | wc -l)" = 1 ]; }

# Names, container ids and restart counts of a namespace's pods.
containers_of() {
    kubectl -n "$1" get pods -o 'jsonpath={range .items[*]}{.metadata.name} {.status.containerStatuses[0].containerID} {.status.containerStatuses[0].restartCount}{"\n"}{end}' | sort
}

# deployment NAME NAMESPACE REPLICAS TEXT: an httpd that serves TEXT.
deployment() {
    kubectl -n "$2" apply -f - <<YAML
apiVersion: apps/v1
kind: Deployment
metadata: {name: $1}
spec:
  replicas: $3
  selector: {matchLabels: {app: $1}}
  template:
    metadata: {labels: {app: $1}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: httpd
        image: localhost/busybox:latest
        imagePullPolicy: IfNotPresent
        command: [sh, -c, "mkdir -p /www; echo '$4' >/www/index.html; exec httpd -f -p 8080 -h /www"]
        ports: [{containerPort: 8080}]
        resources: {requests: {cpu: 5m, memory: 4Mi}}
YAML
}

# The page of a pod, asked from a node.
page_is() { [ "$(on_node "$1" timeout 5 busybox wget -qO- "http://$2:8080/" 2>/dev/null)" = "$3" ]; }

# Every pod of a deployment that is not being deleted serves TEXT, asked from both nodes. A started container
# has no readiness probe here, so its server gets a moment to listen.
serves() { # NAME NAMESPACE REPLICAS TEXT
    local ip count=0 node
    for ip in $(kubectl -n "$2" get pods -l "app=$1" -o 'go-template={{range .items}}{{if not .metadata.deletionTimestamp}}{{.status.podIP}} {{end}}{{end}}'); do
        for node in $NODES; do
            await 5 "'$4' from $ip asked from $node" page_is "$node" "$ip" "$4" || fail "$ip asked from $node does not serve '$4'"
        done
        count=$((count + 1))
    done
    [ "$count" = "$3" ] || fail "$count pods of $1 serve, not $3"
}
