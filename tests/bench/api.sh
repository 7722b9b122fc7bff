#!/bin/bash
# ./dev bench api [--quick] [--only PART,...] [--seconds N]
# The API of three members over TLS, as clients use it: calls of one pod at 1, 32 and 256 connections; the latency of
# calls at a steady rate; lists of 10,000 and 100,000 pods, and what memory they take; one write to 1,000 watchers;
# memory with 100,000 pods and 5,000 watches; a member with 100,000 pods started again. Members and the load share
# this machine's cores. Nothing of this kind can be run beside it here, so goals are of design.md, not of a peer.
# Parts: calls steady lists fanout memory restart.
set -euo pipefail
cd "$(dirname "$0")/../.."
. bazel/dev/lib.sh
. tests/bench/lib.sh

SECONDS_EACH=3
SMALL=10000
LARGE=100000
WATCHES=5000
PARTS=calls,steady,lists,fanout,memory,restart
WORK=$DEV/bench-api
RESTARTS=10

while [ $# -gt 0 ]; do
    case $1 in
    --quick)
        SECONDS_EACH=1
        SMALL=1000
        LARGE=5000
        WATCHES=500
        RESTARTS=3
        ;;
    --only | --seconds)
        [ $# -gt 1 ] || die "$1 needs a value"
        [ "$1" = --only ] && PARTS=$2 || SECONDS_EACH=$2
        shift
        ;;
    *) die "bench api: no flag '$1'" ;;
    esac
    shift
done

stop_all() {
    stop_members
    rm -rf "$WORK"
}
trap stop_all EXIT
trap 'exit 130' INT TERM

part() { [[ ,$PARTS, == *,$1,* ]]; }

# measure NAME FLAG...: a run of api_load, shown, and kept in $WORK/NAME.gantry
measure() {
    local name=$1
    shift
    to gantry api_load --seconds "$SECONDS_EACH" "$@" | sed 's/^/ /' >"$WORK/$name.gantry"
    printf '  %s\n' "$(cat "$WORK/$name.gantry")"
}

# fill NAMESPACE PODS
fill() {
    curl_to gantry:1 /api/v1/namespaces -X POST -H 'content-type: application/json' \
        -d "{\"metadata\":{\"name\":\"$1\"}}" >/dev/null || true
    await 20 "a service account in $1" curl_to gantry:1 "/api/v1/namespaces/$1/serviceaccounts/default"
    measure "fill-$1" --op fill --namespace "$1" --pods "$2" --connections 256
}

bench_calls() {
    local op n
    echo 'calls of one pod, JSON, each connection with one under way'
    for op in create patch get; do
        for n in 1 32 256; do
            measure "$op-$n" --op $op --namespace small --pods "$SMALL" --connections $n --pids "$(pids gantry)"
        done
    done
    for op in create patch get; do
        for n in 1 32 256; do
            figure "api-$op-$n-rate" "$(result $op-$n gantry rate)" - ops/s -
            figure "api-$op-$n-p50" "$(result $op-$n gantry p50_us)" - us -
            figure "api-$op-$n-p99" "$(result $op-$n gantry p99_us)" - us -
        done
    done
}

bench_steady() {
    echo '2,000 calls a second of gets, patches and creates in turn, over 64 connections'
    measure steady --op mixed --rate 2000 --namespace small --pods "$SMALL" --connections 64 --pids "$(pids gantry)"
    figure api-steady-rate "$(result steady gantry rate)" - ops/s -
    figure api-steady-p50 "$(result steady gantry p50_us)" - us -
    figure api-steady-p99 "$(result steady gantry p99_us)" - us 'abs<=10000'
}

bench_lists() {
    local ns form
    echo "all pods of a namespace in one answer, $SMALL and $LARGE"
    for ns in small large; do
        for form in json protobuf; do
            SERVERS=$(servers gantry 1) measure list-$ns-$form --op list --namespace $ns \
                --protobuf "$([ $form = json ] && echo 0 || echo 1)" --pids "${GANTRY_PIDS[1]}"
            figure "api-list-$ns-$form" "$(result list-$ns-$form gantry p50_us)" - us -
            figure "api-list-$ns-$form-mib" "$(result list-$ns-$form gantry mib_s)" - MiB/s -
            figure "api-list-$ns-$form-grew" "$(result list-$ns-$form gantry grew_kib)" - KiB 'abs<=8192'
        done
    done
}

bench_fanout() {
    echo '1,000 watchers of one prefix on 32 connections, a write every 1/100 s'
    to gantry watch_load --watchers 1000 --connections 32 --rate 100 --seconds "$SECONDS_EACH" --pids "$(pids gantry)" |
        sed 's/^/ /' >"$WORK/fanout.gantry"
    printf '  %s\n' "$(cat "$WORK/fanout.gantry")"
    figure api-fanout-p50 "$(result fanout gantry p50_us)" - us -
    figure api-fanout-p99 "$(result fanout gantry p99_us)" - us -
    figure api-fanout-lost "$(lost fanout gantry)" - events 'abs<=0'
}

# The mean of the members, in MiB, without the map of the database.
members_mib() {
    local i
    for ((i = 1; i <= MEMBERS_COUNT; i++)); do pss "$(pid_at gantry $i)"; done |
        awk '{p += $1} END {printf "%.1f", p / NR / 1024}'
}

bench_memory() {
    local pid
    echo "memory of a member with $LARGE pods, and with $WATCHES watches of them"
    figure api-memory-pods "$(members_mib)" - MiB -
    to gantry watch_load --watchers "$WATCHES" --connections 64 --rate 10 --seconds 4 --pids "$(pids gantry)" \
        >"$WORK/watches.gantry" &
    pid=$!
    sleep 3
    figure api-memory-watches "$(members_mib)" - MiB -
    wait $pid
}

bench_restart() {
    local n i began
    n=$(($(leader gantry) % MEMBERS_COUNT + 1))
    echo "a member with $LARGE pods and more: from exec to /readyz 200"
    for ((i = 0; i < RESTARTS; i++)); do
        kill_member "$(pid_at gantry $n)"
        began=$(now_ms)
        gantry_start $n
        SERVERS=$(servers gantry $n) to gantry api_load --op ready >/dev/null
        echo " ms=$(($(now_ms) - began))" >>"$WORK/restart.gantry"
        sleep 1
    done
    printf '  ms: %s\n' "$(field ms <"$WORK/restart.gantry" | sort -n | tr '\n' ' ')"
    figure api-restart-p50 "$(result restart gantry ms)" - ms 'abs<=300'
    figure api-restart-worst "$(field ms <"$WORK/restart.gantry" | sort -n | tail -n 1)" - ms -
}

rm -rf "$WORK"
mkdir -p "$LOG" "$WORK"
bazel_build --noshow_progress //controlplane:gantryd //tests/bench:all >"$LOG/bench-build.log" 2>&1 ||
    { tail -n 20 "$LOG/bench-build.log"; exit 1; }
ulimit -n 16384 2>/dev/null || true
gantry_init 3
for i in 1 2 3; do gantry_start $i; done
MEMBERS_COUNT=3
for i in 1 2 3; do await 20 "gantryd m$i" ready gantry:$i; done
fill small "$SMALL"
! part calls || bench_calls
! part steady || bench_steady
if part lists || part memory || part restart; then fill large "$LARGE"; fi
! part lists || bench_lists
! part fanout || bench_fanout
! part memory || bench_memory
! part restart || bench_restart
