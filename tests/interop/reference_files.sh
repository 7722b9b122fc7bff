# Sourced by reference_test.sh: what the commands of reference/table name, written into the working folder.

pod() { # NAME LABEL IMAGE
    cat <<YAML
apiVersion: v1
kind: Pod
metadata: {name: $1, labels: {name: $2}}
spec:
  containers: [{name: c, image: $3, ports: [{containerPort: 80}]}]
YAML
}

workload() { # KIND NAME CONTAINER [FIELD...]
    cat <<YAML
apiVersion: apps/v1
kind: $1
metadata: {name: $2, labels: {app: $2}}
spec:
  selector: {matchLabels: {app: $2}}
  template:
    metadata: {labels: {app: $2}}
    spec:
      containers: [{name: $3, image: $3, ports: [{containerPort: 80}]}]
YAML
    [ -z "${4:-}" ] || printf '  %s\n' "${@:4}"
}

config() { # NAME VALUE [LABEL]
    printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s, labels: {app: %s}}\ndata: {a: "%s"}\n' "$1" "${3:-none}" "$2"
}

role() {
    cat <<YAML
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: $ns}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
YAML
}

write_files() {
    cat >pod.json <<JSON
{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "labels": {"name": "myLabel"}},
 "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
JSON
    pod foo myLabel nginx >pod.yaml
    workload Deployment nginx nginx 'replicas: 1' >nginx.yaml
    workload Deployment nginx nginx 'replicas: 2' >nginx2.yaml
    cat >rc.yaml <<YAML
apiVersion: v1
kind: ReplicationController
metadata: {name: web}
spec:
  replicas: 1
  selector: {app: rc}
  template:
    metadata: {labels: {app: rc}}
    spec: {containers: [{name: c, image: nginx, ports: [{containerPort: 80}]}]}
YAML
    cat >registry.yaml <<YAML
apiVersion: v1
kind: Service
metadata: {name: registry}
spec: {selector: {app: registry}, ports: [{port: 80}]}
YAML
    printf 'apiVersion: batch/v1\nkind: Job\nmetadata: {name: pi}\n' >job.yaml
    mkdir -p bar dir json path
    printf 'one' >bar/file1.txt
    printf 'two' >bar/file2.txt
    printf 'A=1\nB=2\n' >foo.env
    printf 'C=3\n' >bar.env
    printf '{"auths":{"r.example":{"auth":"dTpw"}}}' >config.json
    config kust 1 >dir/map.yaml
    printf 'resources: [map.yaml]\nnamePrefix: my-\n' >dir/kustomization.yaml
    printf '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"j1"}}' >json/one.json
    printf '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"j2"}}' >json/two.json
    cp nginx.yaml path/
    { config p1 1 pruned && echo --- && config p2 1 pruned; } >two.yaml
    config p1 1 pruned >one.yaml
    cp "$here/reference/kinds.yaml" .
    cp "$keys"/tls.crt "$keys"/tls.key .
}

# Those with the group's own names in them.
write_own_files() {
    printf '{"apiVersion":"v1","kind":"Node","metadata":{"name":"n%s","labels":{"of":"g%s"}}}' "$n" "$n" >node.json
    role >rbac.yaml
}
