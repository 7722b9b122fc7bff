#!/bin/bash
# ./dev bench idle: memory of a running `./dev up` cluster as docs count it: Pss of the process without the LMDB
# map, the map's resident size beside it. Peers are not installed here, so there is no ratio.
set -euo pipefail
cd "$(dirname "$0")/../.."
. bazel/dev/lib.sh
. tests/bench/lib.sh

started=''
if ! alive m1; then
    ./dev up >/dev/null
    started=yes
fi
sleep "${BENCH_SETTLE_SECONDS:-20}"
worst_member=0
worst_agent=0
for name in $MEMBERS; do
    read -r p m <<<"$(pss "$(pid_of "$name")")"
    echo "  $name: $(mib "$p") MiB, LMDB map resident $(mib "$m") MiB"
    [ "$p" -le "$worst_member" ] || worst_member=$p
done
for name in $NODES; do
    read -r p m <<<"$(pss "$(pid_of "kubelet-$name")")"
    echo "  kubelet-lite $name: $(mib "$p") MiB"
    [ "$p" -le "$worst_agent" ] || worst_agent=$p
    read -r c m <<<"$(pss "$(pid_of "containerd-$name")")"
    echo "  containerd $name: $(mib "$c") MiB"
done
figure idle-member "$(mib "$worst_member")" - MiB 'abs<=24'
figure idle-agent "$(mib "$worst_agent")" - MiB 'abs<=8'
[ -z "$started" ] || ./dev down >/dev/null
