#!/bin/bash
# gantry's exec and logs against real containers, beside kubectl's: output, exit codes, a terminal.
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

"$G" -n cli delete pod box --now | grep -q 'pod "box" deleted' || fail 'delete'
! kubectl -n cli get pod box >/dev/null 2>&1 || fail 'delete came back before the pod was gone'
echo '   delete waits'
