#!/bin/bash
# The bus with a stock gRPC client: scheduling events of a new Deployment, queue samples, and delivery at
# least once across a kill of the bus's leader.
. "$(dirname "$0")/lib.sh"
. bazel/dev/up.sh

/usr/bin/python3 -c 'import grpc, google.protobuf' || {
    echo 'SKIP: no grpcio for python3 here'
    exit 0
}
generated=$(mktemp -d "$DEV/proto.XXXXXX")
trap 'rm -rf "$generated"' EXIT
protoc -Iapi/proto --python_out="$generated" bus.proto
bus() { PYTHONPATH=$generated /usr/bin/python3 tests/e2e/bus.py "$DEV/cluster" "$DEV/ports" "$@"; }

bus basics
deployment seen hello 2 seen
kubectl -n hello rollout status deployment/seen --timeout=60s
bus scheduling seen
kubectl -n hello delete deployment seen
"$PROGRAMS/gantry" events --topic cluster.scheduling | has '"step":"bound"' || fail 'gantry events shows no bound pod'
"$PROGRAMS/gantry" events --topic cluster.queue | has '"queue"' || fail 'gantry events shows no queue sample'

# 600 messages are published and consumed while the bus's leader is killed.
bus deliver 600 >"$LOG/deliver.out" &
deliver=$!
await 20 'deliveries' grep -q '^delivered 100' "$LOG/deliver.out"
victim=$("$PROGRAMS/gantry" status | awk '$3 == "bus" && $4 == "leader" {print $1; exit}')
kill -9 "$(pid_of "$victim")"
wait "$deliver" || { cat "$LOG/deliver.out"; fail 'at least once'; }
tail -n 1 "$LOG/deliver.out"
start_member "$victim"
await 20 "$victim to be ready" member_ready "$victim"
await 20 'three equal digests of the bus' digests_agree bus
