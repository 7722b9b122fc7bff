#!/bin/bash
# ./dev bench store: writes of 512 B through three members, at 1, 64 and 1024 outstanding: Gantry's API (POST
# of a ConfigMap) beside etcd (gRPC Put), the same load program, TLS with client certificates on both, rounds
# interleaved. Members, peers and the load share this machine's cores, so the CPU time of the three members
# per write stands beside the rate: it varies less with what else runs here.
set -euo pipefail
cd "$(dirname "$0")/../.."
. bazel/dev/lib.sh
. tests/bench/lib.sh

ROUNDS=3
SECONDS_EACH=${BENCH_SECONDS:-4}
WORK=$DEV/bench-store
GANTRY_PIDS=()
ETCD_PIDS=()

stop_all() {
    local pids=("${GANTRY_PIDS[@]}" "${ETCD_PIDS[@]}")
    if [ ${#pids[@]} != 0 ]; then
        kill -9 "${pids[@]}" 2>/dev/null || true
        wait "${pids[@]}" 2>/dev/null || true
    fi
    rm -rf "$WORK"
}
trap stop_all EXIT
trap 'exit 130' INT TERM

# Loopback addresses of this checkout's own: neither `./dev up` nor another checkout's bench is in the way.
NET=127.$((16#${ID:0:2} % 250 + 1)).$((16#${ID:2:2}))
gantry_address() { echo "$NET.$1"; }
etcd_address() { echo "$NET.$((10 + $1))"; }

start_gantry() {
    local i
    mkdir -p "$WORK" && mkdir -m 700 -p "$WORK/raft"
    "$(bin controlplane/gantryd)" init --out "$WORK/cluster" --member "m1=$(gantry_address 1)" \
        --member "m2=$(gantry_address 2)" --member "m3=$(gantry_address 3)" --node "n=$(etcd_address 1)" >/dev/null
    for i in 1 2 3; do
        "$(bin controlplane/gantryd)" run --cluster "$WORK/cluster" --name "m$i" --data "$WORK/m$i" \
            --raft-sockets "$WORK/raft" --listen "tcp:$(gantry_address $i):6443" >"$LOG/bench-m$i.log" 2>&1 &
        GANTRY_PIDS+=($!)
    done
}

curl_as_admin() { curl -sf --max-time 2 --cacert "$WORK/cluster/ca.crt" --cert "$WORK/cluster/admin.crt" --key "$WORK/cluster/admin.key" "$@"; }

# etcd's certificates: a node's certificate per member would lack its address, so one CA, certificates by init.
start_etcd() {
    local i peers='' d=$WORK/etcd
    mkdir -p "$d"
    "$(bin controlplane/gantryd)" init --out "$d/tls" --member "m1=$(etcd_address 1)" --member "m2=$(etcd_address 2)" \
        --member "m3=$(etcd_address 3)" >/dev/null
    for i in 1 2 3; do peers+="${peers:+,}m$i=https://$(etcd_address $i):2380"; done
    for i in 1 2 3; do
        ETCD_UNSUPPORTED_ARCH='' etcd --name "m$i" --data-dir "$d/m$i" --initial-cluster "$peers" --initial-cluster-state new \
            --initial-advertise-peer-urls "https://$(etcd_address $i):2380" --listen-peer-urls "https://$(etcd_address $i):2380" \
            --listen-client-urls "https://$(etcd_address $i):2379" --advertise-client-urls "https://$(etcd_address $i):2379" \
            --cert-file "$d/tls/members/m$i/tls.crt" --key-file "$d/tls/members/m$i/tls.key" --trusted-ca-file "$d/tls/ca.crt" \
            --client-cert-auth --peer-cert-file "$d/tls/members/m$i/tls.crt" --peer-key-file "$d/tls/members/m$i/tls.key" \
            --peer-trusted-ca-file "$d/tls/ca.crt" --peer-client-cert-auth --quota-backend-bytes 8589934592 \
            >"$LOG/bench-etcd$i.log" 2>&1 &
        ETCD_PIDS+=($!)
    done
}

etcd_ready() { curl -sf --max-time 2 --cacert "$WORK/etcd/tls/ca.crt" --cert "$WORK/etcd/tls/admin.crt" --key "$WORK/etcd/tls/admin.key" "https://$(etcd_address 1):2379/health" | grep -q true; }
gantry_ready() { curl_as_admin "https://$(gantry_address 1):6443/readyz"; }

# cpu_us PID...: CPU time used so far
cpu_us() {
    local pid
    for pid; do cat "/proc/$pid/stat"; done | sed 's/.*) //' |
        awk -v tick="$(getconf CLK_TCK)" '{t += $12 + $13} END {printf "%.0f", t * 1000000 / tick}'
}

# load MODE OUTSTANDING: one line of the load program, and the members' CPU time per write
load() {
    local tls=$WORK/cluster servers line before pids=("${GANTRY_PIDS[@]}")
    servers="$(gantry_address 1):6443,$(gantry_address 2):6443,$(gantry_address 3):6443"
    if [ "$1" = etcd ]; then
        tls=$WORK/etcd/tls
        pids=("${ETCD_PIDS[@]}")
        servers="$(etcd_address 1):2379,$(etcd_address 2):2379,$(etcd_address 3):2379"
    fi
    before=$(cpu_us "${pids[@]}")
    line=$("$(bin tests/bench/load)" --mode "$1" --servers "$servers" --ca "$tls/ca.crt" --cert "$tls/admin.crt" \
        --key "$tls/admin.key" --outstanding "$2" --seconds "$SECONDS_EACH" --bytes 512)
    echo "$line cpu_us=$(awk -v used=$(($(cpu_us "${pids[@]}") - before)) -v seconds="$SECONDS_EACH" \
        -v rate="$(field rate <<<"$line")" 'BEGIN {printf "%.0f", (rate > 0 ? used / seconds / rate : 0)}')"
}

field() { sed -n "s/.*$1=\([0-9.]*\).*/\1/p"; }

rm -rf "$WORK"
mkdir -p "$LOG"
bazel_build --noshow_progress //controlplane:gantryd //tests/bench:load //tests/bench:store_bench //tests/bench:store_group_bench >"$LOG/bench-build.log" 2>&1 ||
    { tail -n 20 "$LOG/bench-build.log"; exit 1; }

echo 'in process: state machine over LMDB, then three members with raft'
"$(bin tests/bench/store_bench)" || true
"$(bin tests/bench/store_group_bench)" || true

echo "over the network: three members each, $ROUNDS rounds of ${SECONDS_EACH} s, interleaved"
start_gantry
command -v etcd >/dev/null && start_etcd
await 20 'three members' gantry_ready
! command -v etcd >/dev/null || await 20 'etcd' etcd_ready
for n in 1 64 1024; do
    : >"$WORK/gantry.$n"
    : >"$WORK/etcd.$n"
    for ((round = 0; round < ROUNDS; round++)); do
        load gantry "$n" | tee -a "$WORK/gantry.$n" | sed 's/^/  gantry /'
        ! command -v etcd >/dev/null || load etcd "$n" | tee -a "$WORK/etcd.$n" | sed 's/^/  etcd   /'
    done
done
for n in 1 64 1024; do
    goal_rate='-'
    goal_p50='-'
    [ "$n" != 64 ] || goal_rate='ratio>=2'
    [ "$n" != 1 ] || goal_p50='ratio>=1'
    peer_rate='-'
    peer_p50='-'
    peer_cpu='-'
    if [ -s "$WORK/etcd.$n" ]; then
        peer_rate=$(field rate <"$WORK/etcd.$n" | median)
        peer_p50=$(field p50_us <"$WORK/etcd.$n" | median)
        peer_cpu=$(field cpu_us <"$WORK/etcd.$n" | median)
    fi
    figure "store-$n-rate" "$(field rate <"$WORK/gantry.$n" | median)" "$peer_rate" ops/s "$goal_rate"
    figure "store-$n-p50" "$(field p50_us <"$WORK/gantry.$n" | median)" "$peer_p50" us "$goal_p50"
    figure "store-$n-cpu" "$(field cpu_us <"$WORK/gantry.$n" | median)" "$peer_cpu" us -
done
