#!/bin/bash
# ./dev bench store [--quick] [--keys N] [--failovers N] [--rounds N] [--seconds N] [--only PART,...]
# Gantry beside etcd, three members each, through their network APIs (HTTP/2 and gRPC, TLS with client
# certificates, the same load program and connections), rounds interleaved, medians; and Gantry in process.
# Parts: limit process writes reads range fanout failover restart. Members, peers and the load share this
# machine's cores, so the CPU time of the three members per operation stands beside each rate. --keys is of the part
# restart, 200,000 by default; its goal is for 1,000,000.
set -euo pipefail
cd "$(dirname "$0")/../.."
. bazel/dev/lib.sh
. tests/bench/lib.sh

ROUNDS=3
SECONDS_EACH=${BENCH_SECONDS:-1}
KEYS=200000
GOAL_KEYS=1000000 # what the goal of memory is said of
FAILOVERS=30
PARTS=limit,process,writes,reads,range,fanout,failover,restart
LEVELS='1 64 256 1024'
RANGE_KEYS=10000
PROCESS_MODES='' # all
WORK=$DEV/bench-store
SYSTEMS='gantry etcd'

while [ $# -gt 0 ]; do
    case $1 in
    --quick)
        ROUNDS=1
        KEYS=10000
        FAILOVERS=5
        PROCESS_MODES='write-leader read-leader'
        ;;
    --keys | --failovers | --rounds | --seconds | --only)
        [ $# -gt 1 ] || die "$1 needs a value"
        case $1 in
        --keys) KEYS=$2 ;;
        --failovers) FAILOVERS=$2 ;;
        --rounds) ROUNDS=$2 ;;
        --seconds) SECONDS_EACH=$2 ;;
        --only) PARTS=$2 ;;
        esac
        shift
        ;;
    *) die "bench store: no flag '$1'" ;;
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

# race NAME LOAD_FLAG...: rounds of the load against both, interleaved; ROLE=leader or follower: only at such a member
race() {
    local name=$1 round system line
    shift
    for ((round = 0; round < ROUNDS; round++)); do
        for system in $SYSTEMS; do
            line=$(SERVERS=$(of_role $system "${ROLE:-}") to $system load --pids "$(pids $system)" "$@") || true
            echo " $line" >>"$WORK/$name.$system"
            printf '  %-6s %s\n' $system "${line#load }"
        done
    done
}

# of_role SYSTEM ROLE: the leader, the member after it, or with no role every member, as an argument of --servers
of_role() {
    local n=''
    if [ -n "$2" ]; then
        n=$(leader "$1")
        [ "$2" = leader ] || n=$((n % MEMBERS_COUNT + 1))
    fi
    servers "$1" $n
}

# race_figures NAME RATE_GOAL P50_GOAL
race_figures() {
    figure "store-$1-rate" "$(result "$1" gantry rate)" "$(result "$1" etcd rate)" ops/s "$2"
    figure "store-$1-p50" "$(result "$1" gantry p50_us)" "$(result "$1" etcd p50_us)" us "$3"
    figure "store-$1-p99" "$(result "$1" gantry p99_us)" "$(result "$1" etcd p99_us)" us -
    figure "store-$1-cpu" "$(result "$1" gantry cpu_us)" "$(result "$1" etcd cpu_us)" us -
}

# ---- parts ----

bench_limit() {
    echo 'what the machine allows: 4 KiB made durable, a round trip over loopback'
    "$(bin tests/bench/limit_bench)" "$WORK" 1 | tee "$WORK/limit" | sed 's/^/  /'
    FLUSH_US=$(grep ' flush ' "$WORK/limit" | field p50_us)
    ROUND_TRIP_US=$(grep ' round-trip ' "$WORK/limit" | field p50_us)
    # The leader's flush and the follower's are at the same time; the client's trip and the follower's are not.
    BOUND_US=$((FLUSH_US + 2 * ROUND_TRIP_US))
    echo "  a durable write at 1 outstanding cannot be faster than a flush and two round trips: $BOUND_US us"
}

# In process: the store itself, three members, at the leader; the peer's figure is etcd's over its network API.
bench_process() {
    echo 'in process: three members, writes at the leader and a follower, read points; CPU by thread'
    "$(bin tests/bench/store_group_bench)" "$SECONDS_EACH" 512 $PROCESS_MODES | tee "$WORK/process" | sed 's/^store_group /  /'
    "$(bin tests/bench/store_group_bench)" "$SECONDS_EACH" 4096 write-leader | tee -a "$WORK/process" | sed 's/^store_group /  /'
}

process_figures() {
    local n bytes goal peer
    for bytes in 512 4096; do
        for n in $LEVELS; do
            goal=-
            [ "$n" = 1 ] || goal='ratio>=4'
            peer=-
            [ ! -e "$WORK/$bytes-$n.etcd" ] || peer=$(result "$bytes-$n" etcd rate)
            grep "write-leader outstanding=$n bytes=$bytes " "$WORK/process" >"$WORK/process.line"
            figure "store-process-$bytes-$n-rate" "$(field ops_s <"$WORK/process.line")" "$peer" ops/s "$goal"
            figure "store-process-$bytes-$n-cpu" "$(field cpu_us <"$WORK/process.line")" - us -
        done
    done
}

bench_writes() {
    local n bytes
    echo "writes over the network, $ROUNDS rounds of $SECONDS_EACH s, interleaved"
    for bytes in 512 4096; do
        for n in $LEVELS; do
            race "$bytes-$n" --op write --outstanding "$n" --bytes "$bytes" --seconds "$SECONDS_EACH"
        done
    done
    for bytes in 512 4096; do
        for n in $LEVELS; do
            case $n in
            1) race_figures "$bytes-$n" - 'ratio>=1.67' ;;
            *) race_figures "$bytes-$n" 'ratio>=2.5' - ;;
            esac
        done
    done
    [ -z "${BOUND_US:-}" ] || figure store-512-1-p50-bound "$(result 512-1 gantry p50_us)" "$BOUND_US" us -
}

# Namespaces of the benchmark's own, and K keys in each; etcd needs no namespace.
fill() { # NAMESPACE KEYS
    curl_to gantry:1 /api/v1/namespaces -X POST -H 'content-type: application/json' \
        -d "{\"metadata\":{\"name\":\"$1\"}}" >/dev/null
    local system
    for system in $SYSTEMS; do
        printf '  %-6s %s\n' $system "$(to $system load --op fill --namespace "$1" --keys "$2" --outstanding \
            "$([ $system = etcd ] && echo 8 || echo 512)" --bytes 256)"
    done
}

# With one outstanding all are of one member, so leader and follower are asked apart; with 64, of all in turn.
bench_reads() {
    local op role
    echo 'reads of one key: linearizable, and of what the member has (serializable)'
    for op in read local; do
        for role in leader follower; do
            ROLE=$role race "$op-$role-1" --op $op --namespace bench-range --keys $RANGE_KEYS --outstanding 1 \
                --seconds "$SECONDS_EACH"
        done
        race "$op-64" --op $op --namespace bench-range --keys $RANGE_KEYS --outstanding 64 --seconds "$SECONDS_EACH"
    done
    for op in read local; do
        for role in leader-1 follower-1 64; do race_figures "$op-$role" 'ratio>=4' -; done
    done
}

# The same keys and values, and protobuf from both: a RangeResponse and a ConfigMapList, whose items say a
# little more (uid, creation time); answer_bytes tells how much either had to send.
bench_range() {
    echo "range of $RANGE_KEYS keys in one answer; no goal: that of reads is for reads of one key"
    race range --op list --namespace bench-range --outstanding 1 --seconds $((SECONDS_EACH + 1))
    race_figures range - -
    figure store-range-bytes "$(result range gantry answer_bytes)" "$(result range etcd answer_bytes)" B -
}

bench_fanout() {
    local system
    echo '1,000 watchers of one prefix on 32 connections, a write every 1/100 s'
    for system in $SYSTEMS; do
        to $system watch_load --watchers 1000 --connections 32 --rate 100 --seconds 3 --pids "$(pids $system)" |
            sed 's/^/ /' >"$WORK/fanout.$system" || true
        printf '  %-6s %s\n' $system "$(cat "$WORK/fanout.$system")"
    done
    figure store-fanout-p50 "$(result fanout gantry p50_us)" "$(result fanout etcd p50_us)" us -
    figure store-fanout-p99 "$(result fanout gantry p99_us)" "$(result fanout etcd p99_us)" us -
    figure store-fanout-cpu "$(result fanout gantry cpu_percent)" "$(result fanout etcd cpu_percent)" percent -
    figure store-fanout-lost "$(lost fanout gantry)" - events 'abs<=0'
}

# fail_over SYSTEM: kills the leader, one line with the time; the member is started again, and all serve.
fail_over() {
    local n i
    await 20 "a leader of $1" leader "$1"
    n=$(leader "$1")
    to "$1" failover --kill "$(pid_at "$1" "$n")"
    kill_member "$(pid_at "$1" "$n")"
    "${1}_start" "$n"
    for ((i = 1; i <= MEMBERS_COUNT; i++)); do await 30 "$1 $i" ready "$1:$i"; done
}

bench_failover() {
    local i system
    echo "from kill -9 of the leader to the next acknowledged write, $FAILOVERS times"
    for ((i = 0; i < FAILOVERS; i++)); do
        for system in $SYSTEMS; do
            fail_over $system >"$WORK/failover.line"
            sed 's/^/ /' "$WORK/failover.line" >>"$WORK/failover.$system"
        done
    done
    for system in $SYSTEMS; do
        printf '  %-6s %s ms\n' $system "$(field ms <"$WORK/failover.$system" | sort -n | tr '\n' ' ')"
    done
    figure store-failover-p50 "$(result failover gantry ms)" "$(result failover etcd ms)" ms 'abs<=1000'
    figure store-failover-worst "$(field ms <"$WORK/failover.gantry" | sort -n | tail -n 1)" \
        "$(field ms <"$WORK/failover.etcd" | sort -n | tail -n 1)" ms 'abs<=2000'
}

# A follower is killed and started again: the time until it answers a linearizable read; then its memory.
restart_one() { # SYSTEM; not in a subshell: it starts a member
    local n began pss map took
    n=$(($(leader "$1") % MEMBERS_COUNT + 1))
    kill_member "$(pid_at "$1" "$n")"
    began=$(now_ms)
    "${1}_start" "$n"
    SERVERS=$(servers "$1" "$n") to "$1" load --op ready --namespace bench-restart >/dev/null
    took=$(($(now_ms) - began))
    sleep 1
    read -r pss map <<<"$(pss "$(pid_at "$1" "$n")")"
    echo " ms=$took pss_restarted_mib=$(mib "$pss") map_restarted_mib=$(mib "$map")" >>"$WORK/restart.$1"
}

bench_restart() {
    local system pss map i goal='ratio>=2'
    echo "restart of a follower, and memory (the mean of the members), with $KEYS keys of 256 bytes"
    [ "$KEYS" -ge $GOAL_KEYS ] || goal=-
    [ $goal != - ] || echo "  not judged: the goal of memory is for $GOAL_KEYS keys (--keys $GOAL_KEYS)"
    fill bench-restart "$KEYS"
    sleep 2
    for system in $SYSTEMS; do
        for ((i = 1; i <= MEMBERS_COUNT; i++)); do pss "$(pid_at $system $i)"; done >"$WORK/members.pss"
        read -r pss map <<<"$(awk '{p += $1; m += $2} END {print p / NR, m / NR}' "$WORK/members.pss")"
        echo " pss_mib=$(mib "$pss") map_mib=$(mib "$map")" >"$WORK/restart.$system"
        restart_one $system
        printf '  %-6s%s\n' $system "$(tr '\n' ' ' <"$WORK/restart.$system")"
    done
    figure store-restart "$(result restart gantry ms)" "$(result restart etcd ms)" ms -
    figure store-memory "$(result restart gantry pss_mib)" "$(result restart etcd pss_mib)" MiB "$goal"
    figure store-memory-map "$(result restart gantry map_mib)" "$(result restart etcd map_mib)" MiB -
    figure store-memory-restarted "$(result restart gantry pss_restarted_mib)" "$(result restart etcd pss_restarted_mib)" MiB -
    figure store-memory-map-restarted "$(result restart gantry map_restarted_mib)" "$(result restart etcd map_restarted_mib)" MiB -
}

rm -rf "$WORK"
mkdir -p "$LOG" "$WORK"
bazel_build --noshow_progress //controlplane:gantryd //tests/bench:all >"$LOG/bench-build.log" 2>&1 ||
    { tail -n 20 "$LOG/bench-build.log"; exit 1; }
! part limit || bench_limit
! part process || bench_process
command -v etcd >/dev/null || die 'etcd is not installed: ./dev deps'
start_cluster 3
! part writes || bench_writes
! part process || process_figures
if part reads || part range; then fill bench-range $RANGE_KEYS; fi
! part reads || bench_reads
! part range || bench_range
! part fanout || bench_fanout
! part failover || bench_failover
! part restart || bench_restart
