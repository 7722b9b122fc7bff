#!/bin/bash
# A backup taken under load holds all that was acknowledged before it; a flipped byte is found; a new cluster of three
# restored from it has it all, with equal digests, and goes on. Revisions that are past can be read on the way.
# Members of its own, on loopback addresses.
. "$(dirname "$0")/lib.sh"

WORK=$(mktemp -d)
declare -A PID
LOAD=

stop_all() {
    kill -9 $LOAD "${PID[@]}" 2>/dev/null || true
    rm -rf "$WORK"
}
trap stop_all EXIT

address() { echo "127.0.42.4$1"; } # 1..3: the old cluster, 4..6: the new
folder() { [ "$1" -le 3 ] && echo "$WORK/old" || echo "$WORK/new"; }
init() { # FOLDER FIRST: three members
    "$PROGRAMS/gantryd" init --out "$1" --member "m$2=$(address "$2")" --member "m$(($2 + 1))=$(address $(($2 + 1)))" \
        --member "m$(($2 + 2))=$(address $(($2 + 2)))" --node "n=$(address 9)"
}
start_member() {
    "$PROGRAMS/gantryd" run --cluster "$(folder "$1")" --name "m$1" --data "$WORK/m$1" \
        --listen "tcp:$(address "$1"):6443" >>"$WORK/m$1.log" 2>&1 &
    PID[$1]=$!
}
as_admin() { # MEMBER PATH CURL-FLAG...
    local dir
    dir=$(folder "$1")
    curl -sf --max-time 5 --cacert "$dir/ca.crt" --cert "$dir/admin.crt" --key "$dir/admin.key" "${@:3}" "https://$(address "$1"):6443$2"
}
gantry() { "$PROGRAMS/gantry" --kubeconfig "$1/admin.kubeconfig" "${@:2}"; }
ready() { as_admin "$1" /readyz; }
MAPS=/api/v1/namespaces/default/configmaps
put() { # MEMBER NAME VALUE: a ConfigMap
    as_admin "$1" "$MAPS" -o /dev/null -H 'Content-Type: application/json' \
        --data-binary "{\"metadata\":{\"name\":\"$2\"},\"data\":{\"a\":\"$3\"}}"
}
change() { # MEMBER NAME VALUE
    as_admin "$1" "$MAPS/$2" -o /dev/null -X PATCH -H 'Content-Type: application/merge-patch+json' --data-binary "{\"data\":{\"a\":\"$3\"}}"
}
names() { as_admin "$1" "$MAPS" | jq -r '.items[].metadata.name' | sort; }
digest() { as_admin "$1" /gantry/v1/member | awk -v g="$2" '$1 == g {print $5, $7}'; }
equal_digests() { # GROUP: of the new cluster's members
    [ -n "$(digest 4 "$1")" ] && [ "$(digest 4 "$1")" = "$(digest 5 "$1")" ] && [ "$(digest 4 "$1")" = "$(digest 6 "$1")" ]
}
load() { # until it is killed; what was acknowledged is noted
    local i=0
    while true; do
        put $((1 + i % 3)) "load-$i" "$i" && echo "load-$i" >>"$WORK/acknowledged"
        i=$((i + 1))
    done
}
refuses() { # TEXT COMMAND...: it fails, and says so
    local text=$1
    shift
    if "$@" >"$WORK/said" 2>&1; then fail "'$*' succeeds"; fi
    grep -q -- "$text" "$WORK/said" || fail "'$*' does not say '$text': $(cat "$WORK/said")"
}

init "$WORK/old" 1
for i in 1 2 3; do start_member "$i"; done
for i in 1 2 3; do await 20 "m$i" ready "$i"; done

# Time travel.
await 10 'a write' put 1 past first
first=$(as_admin 1 "$MAPS/past" | jq -r .metadata.resourceVersion)
change 2 past second
[ "$(gantry "$WORK/old" get configmap/past --revision "$first" -o json | jq -r .data.a)" = first ] || fail "not as it was at $first"
[ "$(gantry "$WORK/old" get configmap past -o json | jq -r .data.a)" = second ] || fail 'not as it is'
gantry "$WORK/old" get cm | has '^past ' || fail 'the table does not name it'
gantry "$WORK/old" get cm --revision "$first" -o name | has -x configmap/past || fail "no list at $first"
second=$(as_admin 1 "$MAPS/past" | jq -r .metadata.resourceVersion)
gantry "$WORK/old" history cm past | awk '{print $1, $2}' | grep -v '^the oldest' >"$WORK/history"
printf 'REVISION CHANGE\n%s updated\n%s created\n' "$second" "$first" | diff - "$WORK/history" || fail 'not its history'
gantry "$WORK/old" history cm past --diff "$first" "$second" | has -x -- '-  a: first' || fail 'no difference is shown'
as_admin 1 "$MAPS/past" -X DELETE -o /dev/null
[ "$(gantry "$WORK/old" history cm past -o json | jq -r '.versions[].change' | tr '\n' ' ')" = 'deleted updated created ' ] || fail 'the removal is not told'
refuses 'not found' gantry "$WORK/old" get cm past
gantry "$WORK/old" get cm past --revision "$second" -o name
refuses 'yet to come' gantry "$WORK/old" get cm past --revision 999999999

# A backup under load.
: >"$WORK/acknowledged"
load 2>/dev/null &
LOAD=$!
until [ "$(wc -l <"$WORK/acknowledged")" -ge 50 ]; do sleep 0.1; done
cp "$WORK/acknowledged" "$WORK/before"
gantry "$WORK/old" snapshot save "$WORK/backup" --member m2
[ "$(stat -c %a "$WORK/backup")" = 600 ] || fail 'others can read the backup'
[ ! -e "$WORK/backup.partial" ] || fail 'the partial file stays'
refuses 'is there already' gantry "$WORK/old" snapshot save "$WORK/backup"
gantry "$WORK/old" snapshot status "$WORK/backup"
[ "$(gantry "$WORK/old" snapshot status "$WORK/backup" -o json | jq -r '.ok, (.groups | length), .groups[0].keys > 50' | tr '\n' ' ')" = 'true 2 true ' ] || fail 'no status as JSON'
as_node() { curl -s --cacert "$WORK/old/ca.crt" --cert "$WORK/old/nodes/n/tls.crt" --key "$WORK/old/nodes/n/tls.key" "$@"; }
[ "$(as_node -o /dev/null -w '%{http_code}' "https://$(address 1):6443/gantry/v1/snapshot")" = 403 ] || fail 'a node may take a backup'

# One byte, in the middle.
cp "$WORK/backup" "$WORK/damaged"
at=$(($(stat -c %s "$WORK/backup") / 2))
byte=$(od -An -tu1 -j "$at" -N 1 "$WORK/backup")
printf "\\x$(printf %02x $((byte ^ 1)))" | dd of="$WORK/damaged" bs=1 seek="$at" conv=notrunc status=none
refuses 'its digest is wrong' gantry "$WORK/old" snapshot status "$WORK/damaged"

init "$WORK/new" 4
refuses 'its digest is wrong' "$PROGRAMS/gantryd" restore --from "$WORK/damaged" --cluster "$WORK/new" --name m4 --data "$WORK/m4"
refuses 'is not empty' "$PROGRAMS/gantryd" restore --from "$WORK/backup" --cluster "$WORK/new" --name m4 --data "$WORK/m1"
for i in 4 5 6; do
    "$PROGRAMS/gantryd" restore --from "$WORK/backup" --cluster "$WORK/new" --name "m$i" --data "$WORK/m$i" >"$WORK/restored$i"
    grep -E '^  (cluster|bus) ' "$WORK/restored$i" >"$WORK/digests$i"
    diff "$WORK/digests4" "$WORK/digests$i" || fail "m$i restored something else"
done
cat "$WORK/restored4"
refuses 'was restored before' "$PROGRAMS/gantryd" restore --from "$WORK/backup" --cluster "$WORK/new" --name m4 --data "$WORK/again"

# The new cluster, beside the old one, which goes on.
for i in 4 5 6; do start_member "$i"; done
for i in 4 5 6; do await 20 "m$i" ready "$i"; done
for i in 4 5 6; do
    names "$i" >"$WORK/names$i"
    missing=$(sort "$WORK/before" | comm -23 - "$WORK/names$i" | wc -l)
    [ "$missing" = 0 ] || fail "m$i lacks $missing of $(wc -l <"$WORK/before") acknowledged objects"
done
await 10 'a write to the new cluster' put 5 after restore
await 20 'equal digests' equal_digests cluster
await 20 'equal digests of the bus' equal_digests bus
gantry "$WORK/new" status
[ "$(gantry "$WORK/new" status --leader | cut -c1)" = m ] || fail 'nobody leads the new cluster'

# A member of it that starts again comes back.
kill -9 "${PID[4]}"
await 20 'a write without m4' put 5 without m4
start_member 4
await 20 'm4 to come back' equal_digests cluster
kill -0 $LOAD || fail 'the load on the old cluster ended'
echo "restored $(wc -l <"$WORK/names4") objects, at least the $(wc -l <"$WORK/before") acknowledged before the backup"
