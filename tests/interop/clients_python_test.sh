#!/bin/bash
# Debian's python3-kubernetes against one gantryd, with a history short enough to be overtaken.
# usage: clients_python_test.sh GANTRYD CLIENTS_PYTHON_PY
set -u
python=/usr/bin/python3
"$python" -c 'import kubernetes' 2>/dev/null || { echo "skipped: no python3-kubernetes"; exit 0; }
gantryd=$1
run_flags='--history 4'
. "$(dirname "$0")/member.sh"

"$python" "$2" || failed=1
kill -0 "$pid" 2>/dev/null || { echo "FAIL: gantryd is gone"; failed=1; }
[ "$failed" = 0 ] || tail -20 "$work/log"
exit $failed
