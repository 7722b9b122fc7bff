#!/bin/bash
# grpcio (Debian's python3-grpcio) against our server, and our client against a grpcio server.
# usage: net_grpc_test.sh NET_SERVER NET_CLIENT CLIENT_PY SERVER_PY
set -u
python=/usr/bin/python3
"$python" -c 'import grpc' 2>/dev/null || { echo "skipped: no python3-grpcio"; exit 0; }
dir=$(mktemp -d)
"$1" tcp:127.0.0.1:0 >"$dir/out" &
pid=$!
trap 'kill $pid 2>/dev/null; wait $pid 2>/dev/null; rm -rf "$dir"' EXIT
port=
for _ in $(seq 50); do
    port=$(sed -n 's/^ready //p' "$dir/out")
    [ -n "$port" ] && break
    sleep 0.1
done
bad=0
timeout 120 "$python" "$3" "127.0.0.1:$port" || bad=1
timeout 120 "$python" "$4" "$2" || bad=1
exit $bad
