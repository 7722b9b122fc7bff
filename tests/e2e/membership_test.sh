#!/bin/bash
# Members come and go while clients write: 1 -> 3 -> 5 -> 3 by join tokens, a dead member replaced, one moved to
# another address, leadership handed about; at the end one survivor of three goes on alone. No acknowledged write
# is ever lost. Members of its own, on loopback addresses.
. "$(dirname "$0")/lib.sh"

WORK=$(mktemp -d)
NET=127.0.43
declare -A PID

stop_all() {
    touch "$WORK/stop"
    wait "${LOAD:-}" 2>/dev/null || true
    kill -9 "${PID[@]}" 2>/dev/null || true
    rm -rf "$WORK"
}
trap stop_all EXIT

export KUBECONFIG=$WORK/c1/admin.kubeconfig
gantry() { "$PROGRAMS/gantry" "$@"; }
# start NUMBER [FLAG...]: its API listens at its own address, or at that of --raft-address.
start() {
    local n=$1 at=$NET.$1
    shift
    [ $# = 0 ] || at=$(expr "$2" : 'tcp:\(.*\):')
    "$PROGRAMS/gantryd" run --cluster "$WORK/c$n" --name "m$n" --data "$WORK/d$n" --listen "tcp:$at:6443" "$@" \
        >>"$WORK/m$n.log" 2>&1 &
    PID[$n]=$!
}
field() { python3 -c 'import json,sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }
join() { # NUMBER: add, join, start
    local answer
    answer=$(gantry member add "m$1" --address "$NET.$1" -o json)
    "$PROGRAMS/gantryd" join --server "https://$NET.1:6443" --token "$(field token <<<"$answer")" \
        --ca-hash "$(field caHash <<<"$answer")" --name "m$1" --cluster "$WORK/c$1" --data "$WORK/d$1"
    start "$1"
    gantry member promote "m$1" --wait
}
servers() { printf "$NET.%s\n" "$@" >"$WORK/servers.new" && mv "$WORK/servers.new" "$WORK/servers"; }
as_admin() {
    curl -skf --max-time 5 --cert "$WORK/c1/admin.crt" --key "$WORK/c1/admin.key" "$@"
}
ready() { as_admin "https://$1:6443/readyz"; }
state() { as_admin "https://$1:6443/gantry/v1/member" | awk '{print $1, $5, $7}' | tail -n 2; }
equal() { # ADDRESS ADDRESS...: the same digest at the same index
    local first
    first=$(state "$1")
    for other in "$@"; do [ -n "$first" ] && [ "$(state "$other")" = "$first" ] || return 1; done
}
voters() { gantry member list | awk '$4 == "voter/voter"' | wc -l; }
gone() { ! kill -0 "${PID[$1]}" 2>/dev/null; }
has_written() { [ "$(wc -l <"$WORK/out")" -ge "$1" ]; }
go_on() { # the load makes progress
    local now
    now=$(wc -l <"$WORK/out")
    await 20 'acknowledged writes' has_written $((now + 20))
}
begin_load() {
    : >"$WORK/out"
    python3 tests/e2e/member_load.py "$WORK/c1" "$WORK/servers" "$WORK/out" "$WORK/stop" >"$WORK/load.log" &
    LOAD=$!
}
end_load() {
    touch "$WORK/stop"
    wait "$LOAD" || { cat "$WORK/load.log"; fail 'the load'; }
    cat "$WORK/load.log"
}
check() { # NUMBER...: every acknowledged write is on each of them
    for n in "$@"; do python3 tests/e2e/member_load.py "$WORK/c1" --check "$NET.$n" "$WORK/out"; done
}

"$PROGRAMS/gantryd" init --out "$WORK/c1" --member "m1=$NET.1" >/dev/null
start 1
servers 1
await 20 'the first member' ready "$NET.1"
begin_load
go_on

# A wrong hash, a wrong token, a used one: nothing is given.
answer=$(gantry member add m2 --address "$NET.2" -o json)
token=$(field token <<<"$answer") hash=$(field caHash <<<"$answer")
try() {
    "$PROGRAMS/gantryd" join --server "https://$NET.1:6443" --name m2 --cluster "$WORK/c2" --data "$WORK/d2" "$@"
}
try --token "$token" --ca-hash "sha256:$(printf '0%.0s' {1..64})" 2>"$WORK/err" && fail 'joined at a stranger'
grep -q 'does not prove' "$WORK/err" || fail "a wrong hash says: $(cat "$WORK/err")"
try --token "${token%?}x" --ca-hash "$hash" 2>"$WORK/err" && fail 'joined with a wrong token'
grep -q 'token is not good' "$WORK/err" || fail "a wrong token says: $(cat "$WORK/err")"
try --token "$token" --ca-hash "$hash"
[ "$(stat -c %a "$WORK/c2/members/m2/tls.key")" = 600 ] || fail 'the key is readable'
rm -rf "$WORK/c2" "$WORK/d2"
try --token "$token" --ca-hash "$hash" 2>"$WORK/err" && fail 'joined twice with one token'
# One certificate for a member: a second machine would vote in the first one's name.
gantry member token m2 2>"$WORK/err" && fail 'a second certificate for m2'
grep -q 'remove it and add it' "$WORK/err" || fail "a second token says: $(cat "$WORK/err")"
gantry member remove m2 --wait
answer=$(gantry member add m2 --address "$NET.2" -o json)
try --token "$(field token <<<"$answer")" --ca-hash "$hash"
start 2
gantry member promote m2 --wait
grep -q 'membership changes group=1 step=assign member=[0-9]* role=voter reason="it has caught up, and shall vote" status=begun' "$WORK"/m*.log ||
    fail 'no member says why m2 was to vote'
for n in 1 2; do # every member tells what came of it
    grep -q 'membership changed group=1 member=[0-9]* name=m2 from=standby to=voter' "$WORK/m$n.log" || fail "m$n does not tell that m2 votes"
done
gantry member token m2 2>"$WORK/err" && fail 'a token for a member that has joined'

join 3
servers 1 2 3
[ "$(voters)" = 3 ] || fail "$(gantry member list)"
echo '1 -> 3'
join 4
join 5
servers 1 2 3 4 5
[ "$(voters)" = 5 ] || fail "$(gantry member list)"
echo '3 -> 5'
go_on

for n in 4 2 5; do
    gantry member transfer "m$n"
    [ "$(gantry member list | awk '$5 == "cluster,bus" {print $1}')" = "m$n" ] || fail "$(gantry member list)"
done
go_on
echo 'leadership moved'

# The leader and another one go: they notice, and stop by themselves.
servers 1 2 3
gantry member remove m5 --wait
gantry member remove m4 --wait
for n in 5 4; do
    await 10 "m$n to stop" gone "$n"
    grep -q 'was removed from the cluster' "$WORK/m$n.log" || fail "m$n does not say why it stopped"
done
[ "$(voters)" = 3 ] || fail "$(gantry member list)"
go_on
echo '5 -> 3'

# One that is removed while it is down learns it when it comes back, also at another address; its successor has
# its name, and another id.
kill -9 "${PID[3]}"
servers 1 2
gantry member remove m2 2>"$WORK/err" && fail 'removed a member that the rest cannot do without'
grep -q 'the cluster would stop' "$WORK/err" || fail "that says: $(cat "$WORK/err")"
gantry member remove m3 --wait
mv "$WORK/c3" "$WORK/c3.old"
mv "$WORK/d3" "$WORK/d3.old"
join 3
servers 1 2 3
sed -i "s/$NET\.3:/$NET.33:/g" "$WORK/c3.old/cluster.conf"
timeout 20 "$PROGRAMS/gantryd" run --cluster "$WORK/c3.old" --name m3 --data "$WORK/d3.old" >"$WORK/old.log" 2>&1 && fail 'the old m3'
grep -q 'was removed from the cluster' "$WORK/old.log" || fail "the old m3 says: $(tail -n 3 "$WORK/old.log")"
[ "$(voters)" = 3 ] || fail "$(gantry member list)"
go_on
echo 'a dead member replaced'

# Where m2 was nobody is any more, and it comes back elsewhere, not knowing who leads.
gantry member transfer m1
kill "${PID[2]}"
await 10 'm2 to stop' gone 2
servers 1 3
start 2 --raft-address "tcp:$NET.22:2381" --peer-address "tcp:$NET.22:2380"
await 20 'm2 at its new address' ready "$NET.22"
gantry member list | has "^m2 .*$NET.22:2381" || fail "$(gantry member list)"
go_on
end_load
await 20 'three equal digests' equal "$NET.1" "$NET.3" "$NET.22"
check 1 3 22
echo 'a member moved'

# Two of three are lost for good.
for n in 1 2 3; do kill -9 "${PID[$n]}"; done
for n in 1 2 3; do wait "${PID[$n]}" || true; done
"$PROGRAMS/gantryd" recover --cluster "$WORK/c1" --name m1 --data "$WORK/d1" >"$WORK/recover.log" 2>&1 && fail 'recovered unasked'
grep -q 'DISASTER RECOVERY' "$WORK/recover.log" || fail "recover says: $(cat "$WORK/recover.log")"
"$PROGRAMS/gantryd" recover --cluster "$WORK/c1" --name m1 --data "$WORK/d1" --i-know-that-writes-may-be-lost
start 1
await 20 'the survivor' ready "$NET.1"
only_m1() { [ "$(gantry member list | awk 'NR > 1 {print $1}')" = m1 ]; }
await 10 'the others to be removed' only_m1
check 1
timeout 20 "$PROGRAMS/gantryd" run --cluster "$WORK/c3" --name m3 --data "$WORK/d3" >"$WORK/old.log" 2>&1 && fail 'm3 of before'
grep -q 'was removed from the cluster' "$WORK/old.log" || fail "m3 of before says: $(tail -n 3 "$WORK/old.log")"
rm -rf "$WORK"/[cd][23]
join 2
join 3
await 20 'three equal digests' equal "$NET.1" "$NET.2" "$NET.3"
check 1 2 3
# Once is once: started again, it removes nobody.
kill "${PID[1]}"
await 10 'm1 to stop' gone 1
start 1
await 20 'm1 again' ready "$NET.1"
[ "$(voters)" = 3 ] || fail "$(gantry member list)"
echo 'recovered from one survivor'
