#!/bin/bash
# Each member on a machine of its own (`./dev up --spread`). The leader's machine is unplugged: another
# leads, writes go on, and plugged in it catches up. The leader's disk is filled: it stays, says why,
# hands over; others go on; with room again it goes on without a restart.
. "$(dirname "$0")/lib.sh"
. bazel/dev/up.sh

is_spread || {
    echo 'SKIP: this cluster has one fabric; ./dev up --spread makes another'
    exit 0
}
WRITES=tests-spread
kubectl create namespace "$WRITES"
victim=''
clean() {
    [ -z "$victim" ] || { plug_in "$victim"; rm -f "$DEV/data/$victim/ballast"; }
    kubectl delete namespace "$WRITES" --wait=false >/dev/null 2>&1 || true
}
trap clean EXIT

other_than() { # MEMBER: one that is not it
    local name
    for name in $MEMBERS; do [ "$name" = "$1" ] || { echo "$name" && return; }; done
}
another_leads() { local now; now=$(leader) && [ -n "$now" ] && [ "$now" != "$victim" ]; }
# By a member that is well, since the victim may not answer.
kubectl_well() { kubectl --context "$(other_than "$victim")" --request-timeout=5s "$@"; }
# Where the machine stood still for longer than the client waits, that try may have written: the next finds it.
create() { # NAME, which nobody else uses
    local said
    said=$(kubectl_well -n "$WRITES" create configmap "$1" --from-literal=a=b 2>&1) || has 'already exists' <<<"$said" || {
        echo "$said"
        return 1
    }
}
is_held() { readyz "$victim" | grep '^\[-\]log failed: held'; }
readyz() {
    curl -s --max-time 2 --cacert "$DEV/cluster/ca.crt" --cert "$DEV/cluster/admin.crt" \
        --key "$DEV/cluster/admin.key" "https://127.0.0.1:$(member_port "$1")/readyz"
}
# The same object over and over: with an alarm on, what would grow the state is refused.
overwrite() {
    kubectl_well -n "$WRITES" patch configmap big --type=merge -p "{\"data\":{\"n\":\"$(printf %06d "$1")\"}}" >/dev/null
}

# ---- a cable ----
victim=$(leader)
pid=$(pid_of "$victim")
echo "unplugged: $victim"
began=$(now_ms)
unplug "$victim"
await 10 'another member to lead' another_leads
for i in 1 2 3 4 5; do
    await 10 "write $i" create "unplugged-$i"
done
echo "figure spread unplugged leader to five writes=$(($(now_ms) - began)) ms"
! member_ready "$victim" >/dev/null || fail "$victim calls itself ready without a link"
plug_in "$victim"
await 20 "$victim to be ready" member_ready "$victim"
await 20 'three equal digests' digests_agree cluster
await 20 'three equal digests of the bus' digests_agree bus

# ---- a disk ----
victim=$(leader)
pid=$(pid_of "$victim")
head -c 800000 /dev/zero | tr '\0' x >"$LOG/big"
await 10 'an object to overwrite' kubectl_well -n "$WRITES" create configmap big \
    --from-literal=n=000000 --from-file=a="$LOG/big"
dd if=/dev/zero of="$DEV/data/$victim/ballast" bs=1M status=none 2>/dev/null || true
echo "filled: $victim, $(df -h --output=avail "$DEV/data/$victim" | tail -n 1) left"
count=0
until is_held >/dev/null || [ $count = 200 ]; do
    await 10 "overwriting $count" overwrite $count
    count=$((count + 1))
done
is_held || fail "$victim took $count writes of 800 kB on a full disk"
[ "$(pid_of "$victim")" = "$pid" ] && alive "$victim" || fail "$victim did not stay"
await 10 'another member to lead' another_leads
for i in 1 2 3 4 5; do await 10 "overwriting on" overwrite $((count + i)); done
rm "$DEV/data/$victim/ballast"
await 30 "$victim to be ready" member_ready "$victim"
await 30 'three equal digests' digests_agree cluster
[ "$(pid_of "$victim")" = "$pid" ] && alive "$victim" || fail "$victim was restarted"
# The alarm ends by itself, and what grows is taken again.
await 30 'a new object' kubectl -n "$WRITES" create configmap after --from-literal=a=b
echo "held after $count writes, went on as pid $pid"
