#!/bin/sh
# Seeds over all families of whole members, and those that once were bad; none may be bad.
set -eu
cluster=$1
regressions=$2
while read -r family seed _; do
    case $family in '' | '#'*) continue ;; esac
    "$cluster" --family "$family" --from "$seed" --seeds 1 >/dev/null || {
        "$cluster" --family "$family" --from "$seed" --seeds 1 || true
        echo "a regression: family $family, seed $seed"
        exit 1
    }
done <"$regressions"
"$cluster" --from 1 --seeds 500
"$cluster" --from 1 --seeds 15 --twice
