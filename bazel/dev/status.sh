# ./dev status: what runs, with pids that a person can kill to see what happens.

process_line() { # NAME TEXT
    if alive "$1"; then
        printf '  %-18s %-34s pid=%s\n' "$1" "$2" "$(pid_of "$1")"
    else
        printf '  %-18s %-34s not running\n' "$1" "$2"
    fi
}

dev_status() {
    [ -e "$KUBECONFIG_FILE" ] || die 'no cluster here; start one with ./dev up'
    local name leader='' role
    leader=$("$PROGRAMS/gantry" --kubeconfig "$KUBECONFIG_FILE" status --leader 2>/dev/null || true)
    echo 'members'
    for name in $MEMBERS; do
        role=follower
        [ "$name" = "$leader" ] && role=leader
        process_line "$name" "$role $(member_ip "$name")"
    done
    echo 'nodes'
    for name in $NODES; do
        process_line "kubelet-$name" "$(node_ip "$name") pods $(node_cidr "$name")"
        process_line "containerd-$name" ''
    done
    echo
    "$PROGRAMS/gantry" --kubeconfig "$KUBECONFIG_FILE" status || true
    echo
    kubectl_dev get nodes -o wide || true
    echo
    kubectl_dev get pods -A -o wide || true
}
