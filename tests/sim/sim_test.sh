#!/bin/sh
# 500 seeds over all families; the last line must say that none was bad.
set -eu
out=$("$1" --seeds 500)
echo "$out"
test "$(echo "$out" | tail -n 1)" = "sim seeds=500 ok=500 bad=0"
