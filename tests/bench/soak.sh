#!/bin/bash
# ./dev bench soak [--quick] [--writes N]: a day's writes in minutes (tests/bench/soak.c): three members in one process,
# small writes and deletes with a short history window; memory, file sizes and latency sampled 20 times. Fails
# when the last third's median of memory, used bytes of data.mdb, files or p99 is over 1.25 times the middle third's.
# --quick shows that it works and judges nothing: the kept log is still filling.
set -euo pipefail
cd "$(dirname "$0")/../.."
. bazel/dev/lib.sh
. tests/bench/lib.sh

WRITES=10000000
QUICK=''
case ${1:-} in
'') ;;
--writes) WRITES=${2:?--writes needs a value} ;;
--quick)
    WRITES=100000
    QUICK=yes
    ;;
*) die "bench soak: no flag '$1'" ;;
esac

# On the disk, not in a tmpfs; removed also when interrupted.
WORK=$(mktemp -d /var/tmp/gantry-soak.XXXXXX)
PID=''
stop_all() {
    [ -z "$PID" ] || kill "$PID" 2>/dev/null || true
    wait
    rm -rf "$WORK"
}
trap stop_all EXIT
trap 'exit 130' INT TERM

mkdir -p "$LOG"
bazel_build --noshow_progress //tests/bench:soak >"$LOG/bench-build.log" 2>&1 || { tail -n 20 "$LOG/bench-build.log"; exit 1; }
: >"$WORK/out" # there before tail looks
TEST_TMPDIR=$WORK "$(bin tests/bench/soak)" "$WRITES" >"$WORK/out" &
PID=$!
tail -f --pid=$PID -n +1 "$WORK/out" &
status=0
wait $PID || status=$?
for name in memory data.mdb-used files p99; do
    line=$(grep "^soak $name " "$WORK/out") || die 'the soak ended early'
    goal='abs<=1.25'
    [ -z "$QUICK" ] || goal=-
    figure "soak-$name" "$(field ratio <<<"$line")" - ratio "$goal"
done
[ -n "$QUICK" ] || exit $status
