#!/bin/bash
# client-go against one gantryd, with a history short enough to be overtaken.
# usage: clients_go_test.sh GANTRYD
set -u
clients=$(dirname "$(readlink -f "$0")")/../../.dev/go/clients_go
[ -x "$clients" ] || { echo "skipped: no .dev/go/clients_go; ./dev test builds it where there is a Go of 1.25 or newer"; exit 0; }
gantryd=$1
run_flags='--history 4'
. "$(dirname "$0")/member.sh"

"$clients" || failed=1
kill -0 "$pid" 2>/dev/null || { echo "FAIL: gantryd is gone"; failed=1; }
[ "$failed" = 0 ] || tail -20 "$work/log"
exit $failed
