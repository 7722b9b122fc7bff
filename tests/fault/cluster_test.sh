#!/bin/bash
# Members as processes in network namespaces, under every kind of fault; and two stores broken on purpose, which
# the same checks must find out. Arguments are those of cluster_faults: `--seed N --seconds 60 mixed` for longer.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. bazel/dev/lib.sh

FAULT=$DEV/fault
FAULT_LOGS=$LOG/fault
SEED=${FAULT_SEED:-$(now_ms)}

bazel_build //controlplane:gantryd //tests/fault:cluster_faults //tests/fault:fault_shim.so
mkdir -p "$FAULT" "$FAULT_LOGS"
install -m 755 "$(bin controlplane/gantryd)" "$(bin tests/fault/cluster_faults)" "$(bin tests/fault/fault_shim.so)" "$FAULT"

faults() { "$FAULT/cluster_faults" --programs "$FAULT" --logs "$FAULT_LOGS" "$@"; }

if [ $# -gt 0 ]; then
    faults "$@"
    exit
fi
echo "seed $SEED: bash tests/fault/cluster_test.sh --seed $SEED [SCENARIO] runs the same faults again"
status=0
faults --seed "$SEED" --seconds 8 || status=1
echo 'Reads that are not linearizable must be found out:'
faults --seed "$SEED" --seconds 5 --stale-reads --must-be-found pause || status=1
echo 'Disks that lie about flushes must be found out:'
faults --seed "$SEED" --seconds 5 --lying-disks --must-be-found power || status=1
exit $status
