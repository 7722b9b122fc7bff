#!/bin/bash
# ./dev bench bus: messages per second through the event bus of three members, over gRPC and TLS: 100-byte
# bodies published with 64 requests outstanding over three streams, one body and a hundred to a request, and
# one consumer taking a full topic. Members and the load share this machine's cores. No peer yet: nsqd comes
# with its protocol.
set -euo pipefail
cd "$(dirname "$0")/../.."
. bazel/dev/lib.sh
. tests/bench/lib.sh

ROUNDS=3
SECONDS_EACH=${BENCH_SECONDS:-4}
MESSAGES=200000
WORK=$DEV/bench-bus

stop_all() {
    stop_members
    rm -rf "$WORK"
}
trap stop_all EXIT

# load FLAG...: one line of the load program
load() {
    "$(bin tests/bench/bus_load)" --servers "$(servers gantry)" --ca "$WORK/cluster/ca.crt" \
        --cert "$WORK/cluster/admin.crt" --key "$WORK/cluster/admin.key" --outstanding 64 --bytes 100 --seconds "$SECONDS_EACH" "$@"
}

rates() { sed -n 's/.*rate=\([0-9.]*\).*/\1/p' "$1" | median; }

rm -rf "$WORK"
mkdir -p "$LOG"
bazel build --config=release --noshow_progress //controlplane:gantryd //tests/bench:bus_load >"$LOG/bench-build.log" 2>&1 ||
    { tail -n 20 "$LOG/bench-build.log"; exit 1; }
gantry_init 3
MEMBERS_COUNT=3
for n in 1 2 3; do gantry_start $n; done
for n in 1 2 3; do await 20 "gantryd m$n" ready "gantry:$n"; done
for ((round = 0; round < ROUNDS; round++)); do
    # A topic of the system's keeps its newest messages only, so that no limit is met.
    load --mode publish --topic cluster.bench --batch 1 | tee -a "$WORK/publish-1" | sed 's/^/  1 body     /'
    load --mode publish --topic cluster.bench --batch 100 | tee -a "$WORK/publish-100" | sed 's/^/  100 bodies /'
    BENCH=bench-$round
    filled=0
    while [ "$filled" -lt "$MESSAGES" ]; do
        more=$(load --mode publish --topic "$BENCH" --batch 100 --seconds 1 | sed -n 's/.*messages=\([0-9]*\).*/\1/p')
        filled=$((filled + more))
    done
    load --mode deliver --topic "$BENCH" --messages "$MESSAGES" | tee -a "$WORK/deliver" | sed 's/^/  delivery   /'
done
figure bus-publish-1 "$(rates "$WORK/publish-1")" - ops/s -
figure bus-publish-100 "$(rates "$WORK/publish-100")" - ops/s -
figure bus-deliver "$(rates "$WORK/deliver")" - ops/s -
