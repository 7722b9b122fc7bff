#!/bin/bash
# exec, attach, cp and port-forward with every kubectl found: exit codes, both ways of 64 MiB, a terminal that
# changes its size, ten connections at once, and an agent that is killed in the middle.
. "$(dirname "$0")/lib.sh"
scratch_namespace streams
work=$(mktemp -d)
trap 'kubectl delete namespace streams --wait=false >/dev/null 2>&1 || true; rm -rf "$work"' EXIT

kubectl -n streams apply -f - <<'YAML'
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
    command: [sh, -c, "mkdir -p /www; dd if=/dev/urandom of=/www/data bs=1M count=4 2>/dev/null; exec httpd -f -p 8080 -h /www"]
YAML
kubectl -n streams wait --for=condition=Ready pod/box --timeout=60s
head -c $((64 << 20)) /dev/urandom >"$work/in"
expected=$(sha256sum <"$work/in")

# Runs a command with the present kubectl and says how it ended.
status_of() {
    local status=0
    timeout 60 "$K" -n streams "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
    echo $status
}

exit_codes() {
    [ "$(status_of exec box -c sh -- true)" = 0 ] || fail "true: $(cat "$work/err")"
    [ "$(status_of exec box -c sh -- sh -c 'echo out; echo err >&2; exit 7')" = 7 ] || fail 'exit 7'
    grep -qx out "$work/out" && grep -qx err "$work/err" || fail 'stdout and stderr'
    grep -q 'exit code 7' "$work/err" || fail 'the message of exit 7'
    [ "$(status_of exec box -c sh -- /no/such)" != 0 ] || fail 'a missing program'
    [ "$(status_of exec box -c nope -- true)" = 1 ] || fail 'a container that is not there'
    grep -q 'container nope is not valid for pod box' "$work/err" || fail "$(cat "$work/err")"
}

round_trip() {
    timeout 120 "$K" -n streams exec -i box -c sh -- cat <"$work/in" >"$work/back" || fail 'cat'
    [ "$(sha256sum <"$work/back")" = "$expected" ] || fail '64 MiB came back changed'
}

copies() {
    timeout 60 "$K" -n streams cp -c sh "$work/in" box:/tmp/copied || fail 'cp to the pod'
    rm -f "$work/copied"
    timeout 60 "$K" -n streams cp -c sh box:/tmp/copied "$work/copied" || fail 'cp from the pod'
    [ "$(sha256sum <"$work/copied")" = "$expected" ] || fail 'cp changed the file'
}

terminal() {
    local text status=0
    text=$(python3 tests/e2e/terminal.py "$K" -n streams exec -it box -c sh -- \
        sh -c 'until stty size | grep -q "30 100"; do :; done; stty size; until stty size | grep -q "40 120"; do :; done; stty size; exit 3') || status=$?
    [ "$status" = 3 ] || fail "the terminal command ended with $status: $text"
    grep -q '40 120' <<<"$text" || fail "no new size: $text"
}

attaches() {
    { echo "hello-$1"; sleep 2; } | timeout 5 "$K" -n streams attach -i box -c sh >"$work/out" 2>"$work/err" || true
    grep -q "got hello-$1" "$work/out" || fail "attach: $(cat "$work/out" "$work/err")"
}

forwards() {
    local pid port want i pids=()
    want=$(kubectl -n streams exec box -c web -- sha256sum /www/data | cut -d' ' -f1)
    : >"$work/forward" # the one before, or not yet emptied by the child, names its ports
    "$K" -n streams port-forward box :8080 :8080 >"$work/forward" 2>&1 &
    pid=$!
    await 20 'two forwarded ports' sh -c "[ \"\$(grep -c '127.0.0.1' '$work/forward')\" = 2 ]" || fail "$(cat "$work/forward")"
    for port in $(sed -n 's/.*127.0.0.1:\([0-9]*\) .*/\1/p' "$work/forward"); do
        for i in 1 2 3 4 5; do
            curl -sf --max-time 30 "http://127.0.0.1:$port/data" -o "$work/data-$port-$i" &
            pids+=($!)
        done
    done
    for i in "${pids[@]}"; do wait "$i" || fail 'a forwarded connection broke'; done
    kill "$pid"
    wait "$pid" 2>/dev/null || true
    [ "${#pids[@]}" = 10 ] || fail "no two ports: $(cat "$work/forward")"
    for i in "$work"/data-*; do
        [ "$(sha256sum <"$i" | cut -d' ' -f1)" = "$want" ] || fail 'forwarded data differ'
    done
    rm -f "$work"/data-*
}

# The agent dies under an exec, a silent one or in the middle of a frame: kubectl must not end as if the command had.
killed_agent() { # COMMAND
    local node status=0
    node=$(kubectl -n streams get pod box -o 'jsonpath={.spec.nodeName}')
    timeout 30 "$K" -n streams exec box -c sh -- sh -c "echo begun; exec $1" >"$work/out" 2>"$work/err" &
    local pid=$!
    await 10 'the exec to begin' grep -q begun "$work/out" || fail 'exec did not begin'
    kill -9 "$(pid_of "kubelet-$node")"
    wait "$pid" || status=$?
    start_kubelet "$node"
    rm -f "$work/out"
    [ "$status" = 1 ] || fail "exec ended with $status when its agent was killed"
    grep -qi 'agent' "$work/err" || fail "no clear error: $(cat "$work/err")"
    echo "   killed agent under $1: $(cat "$work/err")"
    await 30 'the agent to answer again' sh -c "'$K' -n streams exec box -c sh -- true"
}

found=0
for K in $(command -v kubectl) "$(dirname "$(readlink -f "$(command -v kubectl)")")"/kubectl.1.* "$DEV"/packages/usr/bin/kubectl; do
    [ -x "$K" ] || continue
    echo "== $K"
    for part in exit_codes round_trip copies terminal; do $part; echo "   $part"; done
    attaches "$found"
    forwards
    killed_agent 'sleep 60'
    killed_agent 'cat /dev/zero'
    found=$((found + 1))
done
[ "$found" -gt 0 ] || fail 'no kubectl'
echo "figure exec kubectl versions=$found"
