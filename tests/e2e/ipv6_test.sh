#!/bin/bash
# A cluster where there is nothing but IPv6: three members of a network namespace without any IPv4 address, made with
# `gantryd init` as it stands in the docs; the kubeconfigs it wrote are used by gantry and kubectl, the leader dies, a
# fourth member joins by the command that `gantry member add` prints.
[ -n "${IN_NAMESPACE:-}" ] || exec env IN_NAMESPACE=1 unshare --net bash "$0" "$@"
. "$(dirname "$0")/lib.sh"

WORK=$(mktemp -d)
declare -A PID

stop_all() {
    kill -9 "${PID[@]}" 2>/dev/null || true
    rm -rf "$WORK"
}
trap stop_all EXIT

address() { echo "fd00:67::$1"; }
ip link set lo up
ip -4 addr flush dev lo
for i in 1 2 3 4 9; do
    ip addr add "$(address $i)/128" dev lo nodad && continue
    echo 'SKIP: this kernel has no IPv6'
    exit 0
done

export KUBECONFIG=$WORK/cluster/admin.kubeconfig
gantry() { "$PROGRAMS/gantry" "$@"; }
start_member() {
    "$PROGRAMS/gantryd" run --cluster "$WORK/cluster" --name "m$1" --data "$WORK/m$1" \
        --listen "tcp:[$(address "$1")]:6443" >>"$WORK/m$1.log" 2>&1 &
    PID[$1]=$!
}
ready() { kubectl --context "m$1" get --raw /readyz; }
all_ready() { # COUNT: so many members' cluster group is ready
    [ "$(gantry status | awk '$3 == "cluster" && / ready/' | wc -l)" = "$1" ]
}

"$PROGRAMS/gantryd" init --out "$WORK/cluster" --member "m1=$(address 1)" --member "m2=$(address 2)" \
    --member "m3=$(address 3)" --node "n=$(address 9)"
for i in 1 2 3; do start_member "$i"; done
for i in 1 2 3; do await 30 "m$i" ready "$i"; done
await 20 'gantry status to see three members' all_ready 3
kubectl create configmap -n default before --from-literal=a=b
kubectl --kubeconfig "$WORK/cluster/nodes/n/kubeconfig" get configmap -n default before || fail "the node's kubeconfig"

# A node's agent; without a runtime it registers all the same, and the API server reaches it.
"$PROGRAMS/kubelet-lite" --node-name n --node-ip "$(address 9)" --kubeconfig "$WORK/cluster/nodes/n/kubeconfig" \
    --client-ca "$WORK/cluster/ca.crt" --tls-cert "$WORK/cluster/nodes/n/tls.crt" --tls-key "$WORK/cluster/nodes/n/tls.key" \
    --cri-socket "unix:$WORK/no-runtime.sock" --root "$WORK/kubelet" >>"$WORK/n.log" 2>&1 &
PID[9]=$!
node_answers() { kubectl get --raw /api/v1/nodes/n/proxy/healthz; }
await 20 "the node's agent through the API server" node_answers || fail "$(tail -n 5 "$WORK/n.log")"

leads=$(leader)
n=${leads#m}
kill -9 "${PID[$n]}"
other=$((n % 3 + 1))
created() { # a write whose answer was lost is there at the second look
    kubectl --context "m$other" create configmap -n default after --from-literal=a=b ||
        kubectl --context "m$other" get configmap -n default after
}
await 20 'a write after the leader died' created
start_member "$n"
await 30 "m$n to be back" ready "$n"

gantry member add m4 --address "$(address 4)" >"$WORK/add"
command=$(sed -n '/gantryd join/,/--data/p' "$WORK/add" | sed 's/\\$//' | tr '\n' ' ')
has -F -- "--server https://[fd00:67::" <<<"$command" || fail "the command is: $command"
command=${command//--cluster cluster --data data/--cluster $WORK/joined --data $WORK/m4}
# --server is the member that was asked, and every member here has the folder with ca.key.
read -ra words <<<"$command"
start_joining() { # the same command joins, and runs again when it has joined
    "$PROGRAMS/${words[0]}" "${words[@]:1}" --run --listen "tcp:[$(address 4)]:6443" >>"$WORK/m4.log" 2>&1 &
    PID[4]=$!
}
m4_serves() {
    curl -sf --max-time 5 --cacert "$WORK/cluster/ca.crt" --cert "$WORK/cluster/admin.crt" --key "$WORK/cluster/admin.key" \
        "https://[$(address 4)]:6443/api/v1/namespaces/default/configmaps/after"
}
start_joining
gantry member promote m4 --wait
await 20 'm4 to serve what was written before it joined' m4_serves
kill -9 "${PID[4]}"
wait "${PID[4]}" || true
start_joining
await 20 'm4 to be back by the command that joined it' m4_serves || fail "$(tail -n 5 "$WORK/m4.log")"
kill -TERM "${PID[4]}"
wait "${PID[4]}" || fail "m4 did not end well: $(tail -n 3 "$WORK/m4.log")"
echo 'three members, a failover and a join, over IPv6 only'
