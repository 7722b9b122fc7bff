#!/bin/bash
# Clients other than kubectl in a real container: exec, attach, port-forward, logs with python's kubernetes and with
# @kubernetes/client-node, where they are (./dev deps installs both).
. "$(dirname "$0")/lib.sh"
scratch_namespace clients

kubectl -n clients apply -f - <<'YAML'
apiVersion: v1
kind: Pod
metadata: {name: box}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: sh
    image: localhost/busybox:latest
    imagePullPolicy: IfNotPresent
    stdin: true
    command: [sh, -c, "while read -r line; do echo got $line; done; exec sleep 100000"]
  - name: web
    image: localhost/busybox:latest
    imagePullPolicy: IfNotPresent
    command: [sh, -c, "mkdir -p /www; echo 'a page' >/www/index.html; exec httpd -f -p 8080 -h /www"]
YAML
kubectl -n clients wait --for=condition=Ready pod/box --timeout=60s
await 10 'the page' sh -c "kubectl -n clients exec box -c web -- wget -qO- http://127.0.0.1:8080/"

tried=0
if /usr/bin/python3 -c 'import kubernetes' 2>/dev/null; then
    timeout 60 /usr/bin/python3 tests/e2e/clients.py clients box || fail 'python'
    tried=$((tried + 1))
fi
if [ -d "$DEV/npm/node_modules/@kubernetes/client-node" ]; then
    timeout 60 node tests/e2e/clients.mjs "$DEV/npm/node_modules" clients box || fail 'node'
    tried=$((tried + 1))
fi
echo "figure clients with exec=$tried"
