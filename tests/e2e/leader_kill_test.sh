#!/bin/bash
# kill -9 of the leader while a client creates ConfigMaps as fast as it can: every acknowledged one is on all
# three members, generateName makes no twin, writes resume within 3 s, and the member returns with the
# others' digest.
. "$(dirname "$0")/lib.sh"
. bazel/dev/up.sh

scratch_namespace storm
victim=$(leader)
python3 tests/e2e/storm.py "$DEV/cluster" "$DEV/ports" storm 2000 >"$LOG/storm.out" &
storm=$!
await 20 'the storm to be under way' grep -q '^acknowledged 300' "$LOG/storm.out"
kill -9 "$(pid_of "$victim")"
wait "$storm" || { grep -v "^names " "$LOG/storm.out"; fail 'the storm'; }
tail -n 1 "$LOG/storm.out"
start_member "$victim"
await 20 "$victim to be ready" member_ready "$victim"
await 20 'three equal digests' digests_agree cluster
for name in $MEMBERS; do
    python3 tests/e2e/storm.py "$DEV/cluster" "$DEV/ports" storm --check "$name" "$LOG/storm.out"
done
digests cluster
