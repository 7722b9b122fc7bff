#!/bin/bash
# Nodes, pods and services through the API server, with every kubectl found: get --raw and kubectl proxy, a file of
# 16 MiB, a server that is killed in the middle, and what cannot be reached.
. "$(dirname "$0")/lib.sh"
scratch_namespace proxies
work=$(mktemp -d)
trap 'kubectl delete namespace proxies --wait=false >/dev/null 2>&1 || true; rm -rf "$work"' EXIT

deployment web proxies 3 'a page'
kubectl -n proxies apply -f - <<'YAML'
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
---
apiVersion: v1
kind: Service
metadata: {name: empty}
spec:
  selector: {app: none}
  ports: [{port: 80}]
---
apiVersion: v1
kind: Pod
metadata: {name: files}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: httpd
    image: localhost/busybox:latest
    imagePullPolicy: IfNotPresent
    ports: [{containerPort: 8080}]
    command:
    - sh
    - -c
    - |
      mkdir -p /www/cgi-bin
      echo '<a href="/data">data</a>' >/www/index.html
      dd if=/dev/urandom of=/www/data bs=1M count=16 2>/dev/null
      printf '#!/bin/sh\nprintf "Content-Type: text/plain\\r\\n\\r\\n"\nsha256sum\n' >/www/cgi-bin/sum
      printf '#!/bin/sh\nprintf "Content-Type: text/plain\\r\\n\\r\\nbegun\\n"\nexec sleep 60\n' >/www/cgi-bin/slow
      chmod +x /www/cgi-bin/*
      exec httpd -f -p 8080 -h /www
YAML
kubectl -n proxies rollout status deployment/web --timeout=60s
kubectl -n proxies wait --for=condition=Ready pod/files --timeout=60s
namespace=/api/v1/namespaces/proxies
pod=$(kubectl -n proxies get pods -l app=web -o 'jsonpath={.items[0].metadata.name}')
await 10 'the page of a pod' sh -c "kubectl get --raw $namespace/pods/$pod/proxy/ | grep -qx 'a page'"
want=$(kubectl -n proxies exec files -- sha256sum /www/data | cut -d' ' -f1)

page() { [ "$("$K" get --raw "$1")" = 'a page' ] || fail "$1: no page"; }
refused() { # PATH, TEXT; at once: kubectl tries again for 10 s where an answer names a time
    local text
    ! text=$(timeout 8 "$K" get --raw "$1" 2>&1) || fail "$1 is answered: $text"
    grep -qF "$2" <<<"$text" || fail "$1: $text"
}

raw() {
    page "$namespace/pods/$pod/proxy/"
    page "$namespace/pods/http:$pod:8080/proxy/index.html"
    for _ in 1 2 3 4 5; do
        page "$namespace/services/web/proxy/"
        page "$namespace/services/web:80/proxy/index.html"
    done
    [ "$("$K" get --raw /api/v1/nodes/node-1/proxy/healthz)" = ok ] || fail 'healthz of node-1'
    [ "$("$K" get --raw "$namespace/pods/files/proxy/data" | sha256sum | cut -d' ' -f1)" = "$want" ] || fail '16 MiB changed'
    "$K" get --raw "$namespace/pods/files/proxy/" | has -F "href=\"$namespace/pods/files/proxy/data\"" || fail 'a link does not lead through the proxy'
    refused "$namespace/pods/none/proxy/" 'pods "none" not found'
    refused "$namespace/services/none/proxy/" 'services "none" not found'
    refused "$namespace/services/empty/proxy/" 'no endpoints available for service "empty"'
    refused "$namespace/services/web:81/proxy/" 'no service port 81 found for service "web"'
    refused "$namespace/pods/$pod:81/proxy/" 'error trying to reach service'
}

through_kubectl_proxy() {
    local pid port base text
    : >"$work/proxy" # the one before, or not yet emptied by the child, names its port
    "$K" proxy --port=0 >"$work/proxy" 2>&1 &
    pid=$!
    await 10 'kubectl proxy' grep -q 'Starting to serve' "$work/proxy"
    port=$(sed -n 's/.*127.0.0.1:\([0-9]*\).*/\1/p' "$work/proxy")
    base=http://127.0.0.1:$port$namespace
    [ "$(curl -sfL --max-time 10 "$base/services/web/proxy")" = 'a page' ] || fail 'the root without its slash'
    [ "$(curl -sf --max-time 30 "$base/pods/files/proxy/data" | sha256sum | cut -d' ' -f1)" = "$want" ] || fail '16 MiB through kubectl proxy changed'
    curl -sf --max-time 30 "$base/pods/files/proxy/data" -o "$work/data"
    text=$(curl -s --max-time 60 -w '%{http_code} after %{time_total} s, %{size_upload} bytes sent' --data-binary "@$work/data" "$base/pods/files/proxy/cgi-bin/sum" || true)
    [ "${text%% *}" = "$want" ] || fail "a POST of 16 MiB changed: $text"
    [ "$(curl -s -o /dev/null -w '%{http_code}' --max-time 10 "$base/pods/files/proxy/none")" = 404 ] || fail "the server's own 404"
    kill "$pid"
    wait "$pid" 2>/dev/null || true
}

found=0
for K in $(command -v kubectl) "$(dirname "$(readlink -f "$(command -v kubectl)")")"/kubectl.1.* "$DEV"/packages/usr/bin/kubectl; do
    [ -x "$K" ] || continue
    echo "== $K"
    for part in raw through_kubectl_proxy; do $part; echo "   $part"; done
    found=$((found + 1))
done
[ "$found" -gt 0 ] || fail 'no kubectl'

# The pod is killed under an answer: that is cut, and nothing else is harmed.
K=kubectl
status=0
kubectl get --raw "$namespace/pods/files/proxy/cgi-bin/slow" >"$work/out" 2>"$work/err" &
pid=$!
await 10 'the slow answer to begin' grep -q begun "$work/out"
kubectl -n proxies delete pod files --grace-period=0 --force >/dev/null 2>&1
wait "$pid" || status=$?
[ "$status" != 0 ] || [ "$(cat "$work/out")" = begun ] || fail "an answer out of nothing: $(cat "$work/out")"
page "$namespace/services/web/proxy/"
echo "figure proxy kubectl versions=$found"
