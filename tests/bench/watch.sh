#!/bin/bash
# ./dev bench watch [--quick] [--seconds N]: one member of each. 10,000 watchers of pods by spec.nodeName (1,000
# nodes, ten watchers each) at 1,000 commits a second, over 100 HTTP/2 connections; 1,000 watchers of one prefix
# at 100 commits a second. etcd: the same numbers, its watchers under 1,000 prefixes, one gRPC stream a
# connection. Latency is from sending the write to the event's arrival. The load shares this machine's cores.
set -euo pipefail
cd "$(dirname "$0")/../.."
. bazel/dev/lib.sh
. tests/bench/lib.sh

SECONDS_EACH=10
WORK=$DEV/bench-watch
SYSTEMS='gantry etcd'

while [ $# -gt 0 ]; do
    case $1 in
    --quick) SECONDS_EACH=3 ;;
    --seconds)
        SECONDS_EACH=${2:?--seconds needs a value}
        shift
        ;;
    *) die "bench watch: no flag '$1'" ;;
    esac
    shift
done

stop_all() {
    stop_members
    rm -rf "$WORK"
}
trap stop_all EXIT
trap 'exit 130' INT TERM

# race NAME RATE FLAG...: a fresh member of each, one after the other; then the figures. RATE: commits a second, of
# which Gantry must make 99 in 100.
race() {
    local name=$1 rate=$2 system field
    shift 2
    start_cluster 1
    await 20 'a service account for pods' curl_to gantry:1 /api/v1/namespaces/default/serviceaccounts/default
    for system in $SYSTEMS; do
        to $system watch_load --seconds "$SECONDS_EACH" --rate "$rate" --pids "$(pids $system)" "$@" | sed 's/^/ /' >"$WORK/$name.$system" || true
        printf '  %-6s %s\n' $system "$(cat "$WORK/$name.$system")"
    done
    for field in p50_us p99_us max_us; do
        figure "watch-$name-${field%_us}" "$(result "$name" gantry $field)" "$(result "$name" etcd $field)" us -
    done
    figure "watch-$name-commits" "$(result "$name" gantry commits_s)" "$(result "$name" etcd commits_s)" ops/s \
        "abs>=$((rate * 99 / 100))"
    figure "watch-$name-cpu" "$(result "$name" gantry cpu_percent)" "$(result "$name" etcd cpu_percent)" percent -
    figure "watch-$name-memory" "$(result "$name" gantry kib_per_watcher)" "$(result "$name" etcd kib_per_watcher)" KiB/watcher -
    figure "watch-$name-missed" "$(result "$name" gantry missed)" "$(result "$name" etcd missed)" events 'abs<=0'
    figure "watch-$name-twice" "$(result "$name" gantry twice)" "$(result "$name" etcd twice)" events 'abs<=0'
    stop_all
}

rm -rf "$WORK"
mkdir -p "$LOG" "$WORK"
bazel_build --noshow_progress //controlplane:gantryd //tests/bench:watch_load >"$LOG/bench-build.log" 2>&1 ||
    { tail -n 20 "$LOG/bench-build.log"; exit 1; }
command -v etcd >/dev/null || die 'etcd is not installed: ./dev deps'
ulimit -n 16384 2>/dev/null || true
echo '10,000 watchers, ten matches an event, 1,000 commits a second'
race indexed 1000 --watchers 10000 --connections 100 --groups 1000
echo '1,000 watchers of one prefix, 100 commits a second'
race prefix 100 --watchers 1000 --connections 32 --groups 1
