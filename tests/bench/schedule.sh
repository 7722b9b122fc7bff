#!/bin/bash
# ./dev bench schedule: decisions per second of the scheduler at 1,000 nodes, without API and binding. No scheduler of
# another system is installed here, so there is no ratio.
set -euo pipefail
cd "$(dirname "$0")/../.."
bazel build --config=release //tests/bench:schedule_bench >/dev/null 2>&1
bazel-bin/tests/bench/schedule_bench
