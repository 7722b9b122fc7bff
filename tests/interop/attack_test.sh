#!/bin/bash
# attack_test.sh GANTRYD ATTACK.py: one member under attack; every attack has its precise answer, and
# others notice nothing.
gantryd=$1
attack=$2
command -v python3 >/dev/null || {
    echo "attack_test: no python3 here, nothing tested"
    exit 0
}
ulimit -n "$(ulimit -Hn)"
kubelet=127.$((RANDOM % 200 + 20)).$((RANDOM % 250)).$((RANDOM % 250 + 1))
init_flags="--node n1=$kubelet"
run_flags="--api-loops 2" # the limits are a loop's
. "$(dirname "$0")/member.sh"

python3 "$attack" "$work/cluster" "$address" 6443 "$pid" "$work/log" "$kubelet" || failed=1
kill -0 "$pid" || failed=1
[ "$failed" = 0 ] || tail -50 "$work/log"
exit "$failed"
