#!/bin/bash
# @kubernetes/client-node against one gantryd, with a history short enough to be overtaken.
# usage: clients_node_test.sh GANTRYD CLIENTS_NODE_MJS
set -u
node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)' 2>/dev/null || {
    echo "skipped: no node of version 20 or newer"
    exit 0
}
modules=$(dirname "$(readlink -f "$0")")/../../.dev/npm/node_modules
[ -d "$modules/@kubernetes/client-node" ] || { echo "skipped: no @kubernetes/client-node; ./dev deps installs it"; exit 0; }
gantryd=$1
run_flags='--history 4'
. "$(dirname "$0")/member.sh"

node "$2" "$modules" || failed=1
kill -0 "$pid" 2>/dev/null || { echo "FAIL: gantryd is gone"; failed=1; }
[ "$failed" = 0 ] || tail -20 "$work/log"
exit $failed
