#!/bin/bash
# gantry's exec, attach, cp, port-forward and logs against real containers, beside kubectl's: output,
# exit codes, a terminal.
. "$(dirname "$0")/lib.sh"
scratch_namespace cli
work=$(mktemp -d)
trap 'kubectl delete namespace cli --wait=false >/dev/null 2>&1 || true; rm -rf "$work"' EXIT
G=$PROGRAMS/gantry
# The newest kubectl here.
K=$(printf '%s\n' "$(command -v kubectl)" "$(dirname "$(readlink -f "$(command -v kubectl)")")"/kubectl.1.* | tail -1)
[ -x "$K" ] || K=kubectl

"$G" -n cli apply -f - <<'YAML'
apiVersion: v1
kind: Pod
metadata: {name: box, labels: {app: box}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: sh
    image: localhost/busybox:latest
    imagePullPolicy: IfNotPresent
    command: [sh, -c, "for i in 1 2 3; do echo line $i; done; echo end >&2; exec sleep 100000"]
  - name: echo
    image: localhost/busybox:latest
    imagePullPolicy: IfNotPresent
    stdin: true
    command: [cat]
  - name: web
    image: localhost/busybox:latest
    imagePullPolicy: IfNotPresent
    command: [sh, -c, "mkdir /www; echo hello >/www/index.html; exec httpd -f -p 8080 -h /www"]
    ports: [{name: http, containerPort: 8080}]
  - name: tick
    image: localhost/busybox:latest
    imagePullPolicy: IfNotPresent
    command: [sh, -c, "echo begun; while :; do sleep 1; echo tick; done"]
YAML
kubectl -n cli wait --for=condition=Ready pod/box --timeout=60s

# Runs the words with one of the tools: status, output and errors in files of its name.
run() { # NAME TOOL WORD...
    local name=$1 status=0
    shift
    timeout 30 "$1" -n cli "${@:2}" >"$work/$name.out" 2>"$work/$name.err" </dev/null || status=$?
    echo $status >"$work/$name.status"
}
# The two tools say the same.
both() { # WORD...
    local part
    run gantry "$G" "$@"
    run kubectl "$K" "$@"
    for part in status out err; do
        sed 's/gantry/kubectl/g' "$work/gantry.$part" | cmp -s - "$work/kubectl.$part" ||
            fail "$* ($part, $K): gantry: $(cat "$work/gantry.$part"), kubectl: $(cat "$work/kubectl.$part")"
    done
}

both exec box -c sh -- true
both exec box -- sh -c 'echo out; echo err >&2; exit 7'
[ "$(cat "$work/gantry.status")" = 7 ] || fail 'exit 7'
both exec box -c nope -- true
both exec nope -- true
both exec box
both exec box -c sh -- cat /no/such/file
both exec box -t -c sh -- true
both logs box -c sh
both logs box -c sh --tail=1
both logs box -c sh --limit-bytes=9
both logs box
both logs box -c nope
both logs nope
both logs -l app=box -c sh --prefix --tail=2
both logs box -p -c sh
echo '   the same words'

head -c $((16 << 20)) /dev/urandom >"$work/in"
timeout 60 "$G" -n cli exec -i box -c sh -- cat <"$work/in" >"$work/back" || fail 'cat'
cmp -s "$work/in" "$work/back" || fail '16 MiB came back changed'
echo '   16 MiB both ways'

status=0
text=$(python3 tests/e2e/terminal.py "$G" -n cli exec -it box -c sh -- \
    sh -c 'until stty size | grep -q "30 100"; do :; done; stty size; until stty size | grep -q "40 120"; do :; done; stty size; exit 3') || status=$?
[ "$status" = 3 ] || fail "the terminal command ended with $status: $text"
grep -q '40 120' <<<"$text" || fail "no new size: $text"
echo '   a terminal'

# A terminal is put back when gantry is killed under a command.
python3 tests/e2e/terminal_kept.py "$G" -n cli exec -it box -c sh -- sh -c 'echo begun; sleep 60' ||
    fail 'the terminal stayed raw'
echo '   a terminal that is put back'

# All containers followed at once; they are whole lines, each with its source.
timeout 30 "$G" -n cli logs -f box --all-containers --prefix --tail=5 >"$work/follow" 2>&1 &
pid=$!
await 20 'ticks and lines' sh -c "grep -q '^\[pod/box/tick\] tick' '$work/follow' && grep -q '^\[pod/box/sh\] line 3' '$work/follow'" ||
    fail "$(cat "$work/follow")"
kill "$pid"
wait "$pid" 2>/dev/null || true
echo '   logs -f of two containers'

both attach nope
both attach box -c nope
# Input stays open until its echo is there: the runtime ends an attach with its input, whatever is under way.
mkfifo "$work/typed"
timeout 30 "$G" -n cli attach -qi box -c echo <"$work/typed" >"$work/echoed" 2>&1 &
pid=$!
exec 8>"$work/typed"
echo there >&8
await 20 'what was typed' grep -qx there "$work/echoed" || fail "attach: $(cat "$work/echoed")"
exec 8>&-
wait "$pid" || fail "attach ends with $?"
echo '   attach'

mkdir -p "$work/site/d/empty"
echo one >"$work/site/a"
echo two >"$work/site/d/b"
ln -s /etc/passwd "$work/site/link"
both cp "$work/site" box:/tmp/site -c sh
both exec box -c sh -- find /tmp/site
both cp /no/such/file box:/tmp/x -c sh
both cp "$work/site/a" box:/no/such/dir/x -c sh
"$G" -n cli cp box:/tmp/site "$work/again" -c sh 2>"$work/warned" || fail "cp: $(cat "$work/warned")"
cmp "$work/site/a" "$work/again/a" && cmp "$work/site/d/b" "$work/again/d/b" || fail 'cp back and forth'
[ -d "$work/again/d/empty" ] && [ ! -e "$work/again/link" ] || fail 'cp: folders and links'
grep -q 'skipping symlink' "$work/warned" || fail 'cp: no word of the link'
both exec box -c sh -- mkdir -p /tmp/dot
"$G" -n cli cp "$work/site/." box:/tmp/dot -c sh && "$G" -n cli exec box -c sh -- test -f /tmp/dot/d/b || fail 'cp: what is in a folder'
both exec box -c sh -- ls /tmp/dot
echo '   cp both ways'

both port-forward box nope
both port-forward nope 80
"$G" -n cli port-forward pod/box :http >"$work/forward" 2>&1 &
pid=$!
await 10 'a forwarded port' grep -q '^Forwarding from \[::1\]' "$work/forward" || fail "$(cat "$work/forward")"
port=$(sed -n 's/^Forwarding from 127.0.0.1:\([0-9]*\) -> 8080$/\1/p' "$work/forward")
for host in 127.0.0.1 127.0.0.1 '[::1]'; do
    [ "$(curl -gs -m 10 "http://$host:$port/")" = hello ] || fail "port-forward, $host: $(cat "$work/forward")"
done
echo '   port-forward'

"$G" -n cli delete pod box --now | has 'pod "box" deleted' || fail 'delete'
! kubectl -n cli get pod box >/dev/null 2>&1 || fail 'delete came back before the pod was gone'
status=0
wait "$pid" || status=$?
[ "$status" = 1 ] && grep -q 'lost connection to pod' "$work/forward" || fail "port-forward outlived its pod: $(cat "$work/forward")"
echo '   delete waits, and port-forward ends with its pod'
