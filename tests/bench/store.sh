#!/bin/bash
# ./dev bench store: writes of 512 B through three members, at 1, 64 and 1024 outstanding: Gantry's API (POST
# of a ConfigMap) beside etcd (gRPC Put), the same load program, TLS with client certificates on both, rounds
# interleaved. Members, peers and the load share this machine's cores.
set -euo pipefail
cd "$(dirname "$0")/../.."
. bazel/dev/lib.sh
. tests/bench/lib.sh

ROUNDS=3
SECONDS_EACH=${BENCH_SECONDS:-4}
WORK=$DEV/bench-store
PIDS=()

stop_all() {
    [ ${#PIDS[@]} = 0 ] || kill -9 "${PIDS[@]}" 2>/dev/null || true
    rm -rf "$WORK"
}
trap stop_all EXIT

gantry_address() { echo "127.0.11.$1"; }
etcd_address() { echo "127.0.12.$1"; }

start_gantry() {
    local i
    mkdir -p "$WORK" && mkdir -m 700 -p "$WORK/raft"
    "$(bin controlplane/gantryd)" init --out "$WORK/cluster" --member "m1=$(gantry_address 1)" \
        --member "m2=$(gantry_address 2)" --member "m3=$(gantry_address 3)" --node "n=$(etcd_address 1)"
    for i in 1 2 3; do
        "$(bin controlplane/gantryd)" run --cluster "$WORK/cluster" --name "m$i" --data "$WORK/m$i" \
            --raft-sockets "$WORK/raft" --listen "tcp:$(gantry_address $i):6443" >"$LOG/bench-m$i.log" 2>&1 &
        PIDS+=($!)
    done
}

curl_as_admin() { curl -sf --max-time 2 --cacert "$WORK/cluster/ca.crt" --cert "$WORK/cluster/admin.crt" --key "$WORK/cluster/admin.key" "$@"; }

# etcd's certificates: a node's certificate per member would lack its address, so one CA, certificates by init.
start_etcd() {
    local i peers='' d=$WORK/etcd
    mkdir -p "$d"
    "$(bin controlplane/gantryd)" init --out "$d/tls" --member "m1=$(etcd_address 1)" --member "m2=$(etcd_address 2)" \
        --member "m3=$(etcd_address 3)"
    for i in 1 2 3; do peers+="${peers:+,}m$i=https://$(etcd_address $i):2380"; done
    for i in 1 2 3; do
        ETCD_UNSUPPORTED_ARCH='' etcd --name "m$i" --data-dir "$d/m$i" --initial-cluster "$peers" --initial-cluster-state new \
            --initial-advertise-peer-urls "https://$(etcd_address $i):2380" --listen-peer-urls "https://$(etcd_address $i):2380" \
            --listen-client-urls "https://$(etcd_address $i):2379" --advertise-client-urls "https://$(etcd_address $i):2379" \
            --cert-file "$d/tls/members/m$i/tls.crt" --key-file "$d/tls/members/m$i/tls.key" --trusted-ca-file "$d/tls/ca.crt" \
            --client-cert-auth --peer-cert-file "$d/tls/members/m$i/tls.crt" --peer-key-file "$d/tls/members/m$i/tls.key" \
            --peer-trusted-ca-file "$d/tls/ca.crt" --peer-client-cert-auth --quota-backend-bytes 8589934592 \
            >"$LOG/bench-etcd$i.log" 2>&1 &
        PIDS+=($!)
    done
}

etcd_ready() { curl -sf --max-time 2 --cacert "$WORK/etcd/tls/ca.crt" --cert "$WORK/etcd/tls/admin.crt" --key "$WORK/etcd/tls/admin.key" "https://$(etcd_address 1):2379/health" | grep -q true; }
gantry_ready() { curl_as_admin "https://$(gantry_address 1):6443/readyz"; }

# load MODE OUTSTANDING: one line of the load program
load() {
    local tls=$WORK/cluster servers
    servers="$(gantry_address 1):6443,$(gantry_address 2):6443,$(gantry_address 3):6443"
    if [ "$1" = etcd ]; then
        tls=$WORK/etcd/tls
        servers="$(etcd_address 1):2379,$(etcd_address 2):2379,$(etcd_address 3):2379"
    fi
    "$(bin tests/bench/load)" --mode "$1" --servers "$servers" --ca "$tls/ca.crt" --cert "$tls/admin.crt" \
        --key "$tls/admin.key" --outstanding "$2" --seconds "$SECONDS_EACH" --bytes 512
}

field() { sed -n "s/.*$1=\([0-9.]*\).*/\1/p"; }

rm -rf "$WORK"
mkdir -p "$LOG"
bazel build --config=release --noshow_progress //controlplane:gantryd //tests/bench:load //tests/bench:store_bench //tests/bench:store_group_bench >"$LOG/bench-build.log" 2>&1 ||
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
    if [ -s "$WORK/etcd.$n" ]; then
        peer_rate=$(field rate <"$WORK/etcd.$n" | median)
        peer_p50=$(field p50_us <"$WORK/etcd.$n" | median)
    fi
    figure "store-$n-rate" "$(field rate <"$WORK/gantry.$n" | median)" "$peer_rate" ops/s "$goal_rate"
    figure "store-$n-p50" "$(field p50_us <"$WORK/gantry.$n" | median)" "$peer_p50" us "$goal_p50"
done
