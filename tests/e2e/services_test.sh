#!/bin/bash
# One address, one Service: the three members are asked for the same cluster IP and the same node port at once, over
# and over, and each time exactly one Service gets it.
. "$(dirname "$0")/lib.sh"
. bazel/dev/up.sh
ROUNDS=40
scratch_namespace tests-services
work=$(mktemp -d)
trap 'rm -rf "$work"; kubectl delete namespace tests-services --wait=false >/dev/null 2>&1 || true' EXIT

ask() { # MEMBER NAME IP PORT: prints the HTTP code
    curl -s -o "$work/answer-$1" -w '%{http_code}\n' --max-time 20 --cacert "$DEV/cluster/ca.crt" --cert "$DEV/cluster/admin.crt" \
        --key "$DEV/cluster/admin.key" -H 'Content-Type: application/json' \
        -d "{\"metadata\":{\"name\":\"$2\"},\"spec\":{\"type\":\"NodePort\",\"clusterIP\":\"$3\",\"ports\":[{\"port\":80,\"nodePort\":$4}]}}" \
        "https://127.0.0.1:$(member_port "$1")/api/v1/namespaces/tests-services/services"
}

for i in $(seq "$ROUNDS"); do
    pids=()
    for name in $MEMBERS; do
        # By turns both are contended, or the port alone.
        ip=10.96.0.$((100 + i))
        [ $((i % 2)) = 0 ] || ip=10.97.${name#m}.$i
        ask "$name" "try-$i-$name" "$ip" $((30000 + i)) >"$work/code-$name" &
        pids+=($!)
    done
    wait "${pids[@]}"
    codes=$(for name in $MEMBERS; do cat "$work/code-$name"; done | sort | tr '\n' ' ')
    [ "$codes" = '201 422 422 ' ] || fail "round $i: $codes$(cat "$work"/answer-*)"
done
[ "$(kubectl -n tests-services get services --no-headers | wc -l)" = "$ROUNDS" ] || fail 'not one Service a round'

# What goes gives back, however it goes.
kubectl -n tests-services delete services --all >/dev/null
[ "$(ask m1 again 10.96.0.102 30001)" = 201 ] || fail "not given back: $(cat "$work/answer-m1")"

# Without asking: all different, whoever answers.
pids=()
for name in $MEMBERS; do
    for i in $(seq 20); do echo "kubectl --context $name -n tests-services create service nodeport any-$name-$i --tcp=80"; done | sh >/dev/null &
    pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid" || fail 'a Service was not created'; done
for what in '{.spec.clusterIP}' '{.spec.ports[0].nodePort}'; do
    [ "$(kubectl -n tests-services get services -o "jsonpath={range .items[*]}$what{'\n'}{end}" | sort -u | wc -l)" = 61 ] || fail "$what is not different everywhere"
done
