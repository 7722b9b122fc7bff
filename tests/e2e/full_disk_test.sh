#!/bin/bash
# A member whose disk is full holds its log and says why; the others go on; with space again it catches up by
# itself, to their digest.
# Three members of its own, on loopback addresses, one of them on a small memory file system.
. "$(dirname "$0")/lib.sh"

WORK=$(mktemp -d)
SMALL=$WORK/small
declare -A PID

stop_all() {
    kill -9 "${PID[@]}" 2>/dev/null || true
    umount -l "$SMALL" 2>/dev/null || true
    rm -rf "$WORK"
}
trap stop_all EXIT

address() { echo "127.0.42.$1"; }
data() { [ "$1" = 3 ] && echo "$SMALL/m3" || echo "$WORK/m$1"; }
start_member() {
    "$PROGRAMS/gantryd" run --cluster "$WORK/cluster" --name "m$1" --data "$(data "$1")" \
        --listen "tcp:$(address "$1"):6443" >>"$WORK/m$1.log" 2>&1 &
    PID[$1]=$!
}
as_admin() {
    curl -sf --max-time 5 --cacert "$WORK/cluster/ca.crt" --cert "$WORK/cluster/admin.crt" --key "$WORK/cluster/admin.key" "$@"
}
as_admin_any() { # a failing check's text too
    curl -s --max-time 5 --cacert "$WORK/cluster/ca.crt" --cert "$WORK/cluster/admin.crt" --key "$WORK/cluster/admin.key" "$@"
}
ready() { as_admin "https://$(address "$1"):6443/readyz"; }
put() { # NUMBER: a ConfigMap of 500 kB
    printf '{"metadata":{"name":"full-%s"},"data":{"a":"%s"}}' "$1" "$(head -c 500000 /dev/zero | tr '\0' x)" >"$WORK/body"
    as_admin -o /dev/null -H 'Content-Type: application/json' --data-binary "@$WORK/body" \
        "https://$(address "$((1 + $1 % 2))"):6443/api/v1/namespaces/default/configmaps"
}
digest() { as_admin "https://$(address "$1"):6443/gantry/v1/member" | awk '$1 == "cluster" {print $5, $7}'; }
equal_digests() { [ -n "$(digest 1)" ] && [ "$(digest 1)" = "$(digest 3)" ] && [ "$(digest 1)" = "$(digest 2)" ]; }
gone() { ! kill -0 "${PID[3]}" 2>/dev/null; }
held() { as_admin_any "https://$(address 3):6443/readyz/log" | has '^\[-\]log failed: held: no space left'; }

mkdir -m 700 "$SMALL"
mount -t tmpfs -o size=256m tmpfs "$SMALL"
"$PROGRAMS/gantryd" init --out "$WORK/cluster" --member "m1=$(address 1)" --member "m2=$(address 2)" \
    --member "m3=$(address 3)" --node "n=$(address 9)"
for i in 1 2 3; do start_member "$i"; done
for i in 1 2 3; do await 20 "m$i" ready "$i"; done

count=0
until held || [ $count = 500 ]; do
    await 10 "write $count" put $count || fail "write $count was not acknowledged with two members up"
    count=$((count + 1))
done
await 5 'the member with the full disk to hold' held
echo "held after $count writes of 500 kB: $(grep -a ERROR "$WORK/m3.log" | tail -n 1)"
grep -aq 'no space left' "$WORK/m3.log" || fail "m3 does not say why: $(grep -a ERROR "$WORK/m3.log")"
for i in 1 2 3 4 5; do await 10 'a write after it' put $((count + i)); done

mount -o remount,size=2g "$SMALL"
gone && fail "m3 ended: $(tail -n 3 "$WORK/m3.log")"
await 30 'm3 to be ready again' ready 3
await 30 'm3 to come back with an equal digest' equal_digests
echo "came back equal: $(digest 3)"
