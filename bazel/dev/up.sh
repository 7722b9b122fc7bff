# ./dev up: a cluster of three members and two nodes on this machine, from nothing.
. bazel/dev/deps.sh
. bazel/dev/images.sh
. bazel/dev/down.sh
. bazel/dev/status.sh
. bazel/dev/node.sh
. bazel/dev/machine.sh

PROGRAM_TARGETS='//controlplane:gantryd //kubelet-lite //cli:gantry //bazel/tools:listen_exec'

build_programs() {
    # shellcheck disable=SC2086 # one word a target
    bazel_build $PROGRAM_TARGETS
    mkdir -p "$PROGRAMS"
    local program
    for program in controlplane/gantryd kubelet-lite/kubelet-lite cli/gantry bazel/tools/listen_exec; do
        install -m 755 "$(bin $program)" "$PROGRAMS/$(basename $program)"
    done
}

# Three free ports of the host, kept over restarts so that a kubeconfig stays right.
choose_ports() {
    [ -s "$DEV/ports" ] && return
    local port=${GANTRY_PORT:-6443} found=''
    while [ "$(wc -w <<<"$found")" -lt 3 ]; do
        (exec 9<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || found+=" $port"
        port=$((port + 1))
    done
    echo "$found" >"$DEV/ports"
}

member_port() { cut -d' ' -f$((${1#m} + 1)) "$DEV/ports"; }

init_cluster() {
    choose_ports
    [ -e "$DEV/cluster/ca.crt" ] && return
    local args=() name
    for name in $MEMBERS; do
        args+=(--member "$name=$(member_ip "$name")" --member-server "$name=https://127.0.0.1:$(member_port "$name")")
    done
    for name in $NODES; do args+=(--node "$name=$(node_ip "$name")"); done
    "$PROGRAMS/gantryd" init --out "$DEV/cluster" "${args[@]}"
}

make_fabric() {
    rm -f "$DEV/run/fabric-made"
    ip netns add "$FABRIC"
    ip -n "$FABRIC" link set lo up
    ip -n "$FABRIC" link add br0 type bridge
    ip -n "$FABRIC" addr add 10.250.0.254/24 dev br0
    ip -n "$FABRIC" link set br0 up
    local name
    for name in $MEMBERS; do
        if is_spread; then
            make_machine_network "$name"
        else
            ip -n "$FABRIC" addr add "$(member_ip "$name")/24" dev br0
        fi
    done
    # The members reach pods (for later proxies) through the nodes.
    for name in $NODES; do
        make_node_network "$name"
        ip -n "$FABRIC" route add "$(node_cidr "$name")" via "$(node_ip "$name")"
    done
    touch "$DEV/run/fabric-made"
}

start_member() {
    local name=$1
    start "$name" "$PROGRAMS/listen_exec" 127.0.0.1 "$(member_port "$name")" -- \
        nsenter --net="/run/netns/$(member_netns "$name")" "$PROGRAMS/gantryd" run \
        --cluster "$DEV/cluster" --name "$name" --data "$DEV/data/$name" \
        --listen "tcp:$(member_ip "$name"):6443" --listen fd:3
}

member_ready() {
    curl -sf --max-time 2 --cacert "$DEV/cluster/ca.crt" --cert "$DEV/cluster/admin.crt" \
        --key "$DEV/cluster/admin.key" "https://127.0.0.1:$(member_port "$1")/readyz"
}

start_members() {
    local name
    mkdir -p -m 700 "$DEV/data"
    ! is_spread || mount_disks
    for name in $MEMBERS; do alive "$name" || start_member "$name"; done
    for name in $MEMBERS; do await 20 "member $name to be ready" member_ready "$name"; done
    install -m 600 "$DEV/cluster/admin.kubeconfig" "$KUBECONFIG_FILE"
}

start_nodes() {
    local name pids=() pid
    for name in $NODES; do
        start_node "$name" &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid"; done
    await 60 'both nodes to be Ready' nodes_ready
}

nodes_ready() {
    [ "$(kubectl_dev get nodes --no-headers 2>/dev/null | awk '$2 == "Ready"' | wc -l)" = "$(wc -w <<<"$NODES")" ]
}

run_demo() {
    kubectl_dev apply -f docs/examples/hello.yaml
    kubectl_dev -n hello rollout status deployment/hello --timeout=60s
}

# Every pod's page, fetched from a node that is not its own, so the route between nodes is seen too.
fetch_pages() {
    local name ip node from page
    while read -r name ip node; do
        from=node-1
        [ "$node" = node-1 ] && from=node-2
        page=$(on_node "$from" timeout 5 "$(busybox_static)" wget -qO- "http://$ip:8080/")
        printf '  %s on %s at %s, asked from %s: %s\n' "$name" "$node" "$ip" "$from" "$page"
        [ -n "$page" ] || { echo "no page from $name: see .dev/log/kubelet-$node.log" && return 1; }
    done < <(kubectl_dev -n hello get pods -l app=hello --field-selector=status.phase=Running \
        -o 'jsonpath={range .items[*]}{.metadata.name} {.status.podIP} {.spec.nodeName}{"\n"}{end}')
}

# A namespace per node and the fabric, all of them finished: then what runs in them may go on.
network_whole() {
    local name
    [ -e "$RUN/fabric-made" ] && [ -e "/run/netns/$FABRIC" ] || return 1
    for name in $NODES; do [ -e "/run/netns/$(node_netns "$name")" ] || return 1; done
    for name in $MEMBERS; do [ -e "/run/netns/$(member_netns "$name")" ] || return 1; done
}

# After a reboot, or an `up` that was interrupted. Members keep their state; what a node had is made anew.
clear_remains() {
    stop_all
    rm -rf --one-file-system "$DEV/ns" "$DEV/nodes"
}

# Shells of an `up` that was killed may go on without it.
end_orphans() {
    local pid
    for pid in $(grep -lsaxz "$MARK" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3); do
        [[ $(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline") == *"/dev up "* ]] || continue
        is_this_dev "$pid" || kill -KILL "$pid" 2>/dev/null || true
    done
} 2>/dev/null

check_host() {
    [ "$(id -u)" = 0 ] || die 'up makes network namespaces and runs containers: run it as root'
    # A unix socket's path has 107 characters at most; the longest here is a node's containerd.sock.ttrpc.
    [ ${#DEV} -le 70 ] || die "the path $ROOT is too long for unix sockets below it: clone to one of at most 65 characters"
}

# A cluster keeps the layout it was made with.
choose_layout() { # "" or "spread"
    if [ ! -e "$DEV/cluster/ca.crt" ]; then
        [ "$1" != spread ] || check_loop_devices
        echo "${1:-fabric}" >"$LAYOUT_FILE"
    elif [ "$1" = spread ] && ! is_spread; then
        die "a cluster with one fabric is here already: ./dev down forgets it, then ./dev up --spread"
    fi
}

dev_up() {
    local wanted=''
    case $* in
    '') ;;
    --spread) wanted=spread ;;
    *) die "up takes --spread or nothing, and got '$*'; ./dev alone prints the commands" ;;
    esac
    check_host
    [ "${GANTRY_DEV:-}" = "$ID" ] || exec env "$MARK" "$ROOT/dev" up "$@"
    lock
    end_orphans
    trap 'echo; echo "dev: interrupted; ./dev up goes on from here, ./dev down removes what was made" >&2; exit 130' INT TERM
    mkdir -p "$DEV" "$LOG" "$RUN"
    local began
    began=$(now_ms)
    dev_deps
    choose_layout "$wanted"
    echo "Gantry: three members, two nodes$(! is_spread || echo '; each member on a machine of its own')"
    step 'programs (release build)' build_programs
    step 'images: pause, busybox' make_images
    if ! network_whole && { compgen -G "/run/netns/gantry-$ID-*" >/dev/null || [ -e "$DEV/nodes" ]; }; then
        step 'what an earlier run left' clear_remains
    fi
    step 'identity and certificates' init_cluster
    network_whole || step 'network: fabric and nodes' make_fabric
    step 'members: m1 m2 m3' start_members
    step 'nodes: containerd and kubelet-lite' start_nodes
    step 'demo: docs/examples/hello.yaml' run_demo
    step 'a page from every pod' fetch_pages
    echo
    cat "$LOG/a-page-from-every-pod.log"
    echo
    kubectl_dev -n hello get pods -o wide
    cat <<TXT

Up in $((($(now_ms) - began) / 1000)) s. The kubeconfig is .dev/kubeconfig; the logs are in .dev/log/. Next:

  export KUBECONFIG=$KUBECONFIG_FILE
  kubectl get nodes,pods -A -o wide
  kubectl -n hello scale deployment/hello --replicas=5
  kubectl -n hello logs -f deployment/hello
  .dev/bin/gantry events -f
  ./dev status      # with pids: kill any of them and watch; ./dev up starts it again
TXT
    ! is_spread || spread_tips
    echo '  ./dev down'
}
