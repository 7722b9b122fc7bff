#!/bin/bash
# The example controller (docs/examples/quota.c) against a member, with kubectl as its user.
# usage: example_test.sh GANTRYD QUOTA
set -u
gantryd=$1
quota=$2
. "$(dirname "$0")/member.sh"
kubectl=${kubectls%%[[:space:]]*}
version=$(basename "$kubectl")

"$quota" "$KUBECONFIG" >"$work/quota.log" 2>&1 &
quota_pid=$!
finish_all() {
    kill "$quota_pid" 2>/dev/null && wait "$quota_pid" 2>/dev/null
    finish
}
trap finish_all EXIT

pods() { $kubectl -n "$1" get resourcequota pods -o 'jsonpath={.spec.hard.pods}' 2>&1; }
# soon TEXT COMMAND...: within 10 s the command's output is the text.
soon() {
    local text=$1 out
    shift
    for _ in $(seq 100); do
        out=$("$@")
        [ "$out" = "$text" ] && return
        sleep 0.1
    done
    echo "FAIL: $*: '$out', not '$text'"
    sed 's/^/    /' "$work/quota.log"
    failed=1
}

$kubectl create ns a >/dev/null
$kubectl label ns a example.com/pods=20 >/dev/null
soon 20 pods a
$kubectl label ns a example.com/pods=30 --overwrite >/dev/null
soon 30 pods a
# Somebody else's hand is undone.
$kubectl -n a patch resourcequota pods --type merge -p '{"spec":{"hard":{"pods":"99"}}}' >/dev/null
soon 30 pods a
$kubectl -n a delete resourcequota pods >/dev/null
soon 30 pods a
# What the server refuses is said, and tried again until it is mended.
$kubectl label ns a example.com/pods=many --overwrite >/dev/null
soon 1 eval 'grep -c -m 1 "pods=many outcome=.*quantities must match" "$work/quota.log"'
$kubectl label ns a example.com/pods=5 --overwrite >/dev/null
soon 5 pods a
# A quota of that name that is not the example's stays.
$kubectl create ns b >/dev/null
$kubectl -n b create quota pods --hard=pods=7 >/dev/null
$kubectl label ns a example.com/pods- >/dev/null
soon 'Error from server (NotFound): resourcequotas "pods" not found' pods a
soon 7 pods b
exit $failed
