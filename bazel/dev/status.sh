# ./dev status: what runs, with pids that a person can kill to see what happens.
. bazel/dev/machine.sh

process_line() { # NAME TEXT
    if alive "$1"; then
        printf '  %-18s %-50s pid=%s\n' "$1" "$2" "$(pid_of "$1")"
    else
        printf '  %-18s %-50s not running\n' "$1" "$2"
    fi
}

# What is special about a member's machine, when it has one.
machine_text() {
    ! is_spread || echo ", $(link_line "$1"), $(disk_line "$1")"
}

# A member that can answer for the cluster, if there is one.
ready_member() {
    "$PROGRAMS/gantry" --kubeconfig "$KUBECONFIG_FILE" status 2>/dev/null |
        awk '$3 == "cluster" && ($NF == "ready" || $NF ~ /^alarm:/) {print $1; exit}'
}

dev_status() {
    [ $# = 0 ] || die "status takes no arguments, and got '$*'"
    [ -e "$KUBECONFIG_FILE" ] && [ -x "$PROGRAMS/gantry" ] || die 'no cluster here; start one with ./dev up'
    local name leader='' role dead='' context
    leader=$("$PROGRAMS/gantry" --kubeconfig "$KUBECONFIG_FILE" status --leader 2>/dev/null || true)
    echo 'members'
    for name in $MEMBERS; do
        role=follower
        alive "$name" || role=-
        [ "$name" = "$leader" ] && role=leader
        process_line "$name" "$role $(member_ip "$name")$(machine_text "$name")"
    done
    echo 'nodes'
    for name in $NODES; do
        process_line "kubelet-$name" "$(node_ip "$name") pods $(node_cidr "$name")"
        process_line "containerd-$name" ''
    done
    # shellcheck disable=SC2086 # one word a node
    for name in $MEMBERS $(printf 'kubelet-%s ' $NODES) $(printf 'containerd-%s ' $NODES); do
        alive "$name" || dead+=" $name"
    done
    [ -z "$dead" ] || echo "not running:$dead; ./dev up starts them again"
    echo
    "$PROGRAMS/gantry" --kubeconfig "$KUBECONFIG_FILE" status || true
    echo
    context=$(ready_member)
    [ -n "$context" ] || die 'no member is ready: without two of three running there is no quorum, and nothing to list'
    kubectl_dev --context "$context" --request-timeout=5s get nodes -o wide || true
    echo
    kubectl_dev --context "$context" --request-timeout=5s get pods -A -o wide || true
}
