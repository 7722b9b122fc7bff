#!/bin/bash
# ./dev bench pod: how long a pod takes from its binding to Running, beside the same CRI calls made directly to
# the same containerd, interleaved. What Gantry adds is the difference of the medians.
set -euo pipefail
cd "$(dirname "$0")/../.."
. bazel/dev/lib.sh
. tests/bench/lib.sh

/usr/bin/python3 -c 'import grpc, google.protobuf' || { echo 'bench pod: no grpcio for python3 here'; exit 1; }
started=''
if ! alive m1; then
    ./dev up >/dev/null
    started=yes
fi
generated=$(mktemp -d "$DEV/proto.XXXXXX")
trap 'rm -rf "$generated"' EXIT
protoc -Iapi/proto --python_out="$generated" runtime.proto
PYTHONPATH=$generated /usr/bin/python3 tests/bench/pod.py "$DEV/cluster" "$(cut -d' ' -f2 "$DEV/ports")" \
    "$DEV/nodes/node-1/containerd.sock" node-1 "/$CGROUP/node-1" "${BENCH_ROUNDS:-20}" | tee "$LOG/bench-pod.log"
read -r _ gantry direct < <(grep '^medians ' "$LOG/bench-pod.log")
figure pod-start "$gantry" "$direct" ms -
figure pod-added "$(awk -v a="$gantry" -v b="$direct" 'BEGIN {printf "%.1f", a - b}')" - ms 'abs<=15'
[ -z "$started" ] || ./dev down >/dev/null
