# One node: a network namespace on the fabric, a mount and uts namespace pinned to files (so that a
# restarted containerd or agent sees the mounts of living pods), a containerd and a kubelet-lite.

make_node_network() {
    local name=$1 netns index other
    netns=$(node_netns "$name")
    index=$(node_index "$name")
    ip netns add "$netns"
    ip -n "$netns" link set lo up
    ip link add "gt$ID$index" type veth peer name "gp$ID$index"
    ip link set "gt$ID$index" netns "$netns" name eth0
    ip link set "gp$ID$index" netns "$FABRIC" name "veth$index"
    ip -n "$FABRIC" link set "veth$index" master br0 up
    ip -n "$netns" addr add "$(node_ip "$name")/24" dev eth0
    ip -n "$netns" link set eth0 up
    for other in $NODES; do
        [ "$other" = "$name" ] || ip -n "$netns" route add "$(node_cidr "$other")" via "$(node_ip "$other")"
    done
    ip -n "$netns" route add default via 10.250.0.254
    nsenter --net="/run/netns/$netns" sysctl -qw net.ipv4.ip_forward=1
}

# on_node NAME COMMAND...: inside the node's namespaces. Not `ip netns exec`: that hides the cgroups.
on_node() {
    local name=$1
    shift
    nsenter --net="/run/netns/$(node_netns "$name")" --mount="$DEV/ns/$name/mnt" \
        --uts="$DEV/ns/$name/uts" "$@"
}

pin_namespaces() {
    local name=$1 dir=$DEV/ns/$1 state=$DEV/nodes/$1
    mountpoint -q "$dir/mnt" && [ -e "$dir/made" ] && return
    umount "$dir/mnt" "$dir/uts" 2>/dev/null || true
    mkdir -p "$dir" "$state/cni-lib" "$state/run-containerd" /var/lib/cni /run/containerd
    # A namespace can be pinned only on a private mount.
    mountpoint -q "$DEV/ns" || { mount --bind "$DEV/ns" "$DEV/ns" && mount --make-private "$DEV/ns"; }
    : >"$dir/mnt"
    : >"$dir/uts"
    # crun refuses a hybrid cgroup hierarchy, so the node does not see the unified part of one; pods may ask
    # for mount propagation, so / is shared inside; libcni's cache and the shims' sockets are the node's own.
    unshare --mount="$dir/mnt" --uts="$dir/uts" --propagation private sh -c "
        hostname $name
        ! mountpoint -q /sys/fs/cgroup/unified || umount /sys/fs/cgroup/unified
        mount --make-rshared /
        mount --bind '$state/cni-lib' /var/lib/cni
        mount --bind '$state/run-containerd' /run/containerd"
    touch "$dir/made"
}

write_containerd_config() {
    local name=$1 state=$DEV/nodes/$1 restrict=false
    # Without CAP_SYS_RESOURCE (bit 24) no sandbox could get its oom score.
    (($(printf '%d' "0x$(awk '/CapBnd/ {print $2}' /proc/self/status)") >> 24 & 1)) || restrict=true
    cat >"$state/containerd.toml" <<TOML
version = 2
root = "$state/containerd"
state = "$state/containerd-run"
oom_score = 0
disabled_plugins = ["io.containerd.internal.v1.restart", "io.containerd.tracing.processor.v1.otlp", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[grpc]
  address = "$state/containerd.sock"
[ttrpc]
  address = "$state/containerd.sock.ttrpc"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:latest"
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  netns_mounts_under_state_dir = true
  disable_apparmor = true
  restrict_oom_score_adj = $restrict
  enable_unprivileged_ports = true
  enable_unprivileged_icmp = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$state/cni"
    max_conf_num = 1
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "crun"
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.crun]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.crun.options]
        BinaryName = "$(command -v crun)"
        SystemdCgroup = false
        Root = "$state/crun"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        BinaryName = "$(command -v runc)"
        SystemdCgroup = false
        Root = "$state/runc"
TOML
}

write_cni_config() {
    local name=$1 state=$DEV/nodes/$1
    mkdir -p "$state/cni"
    cat >"$state/cni/10-gantry.conflist" <<JSON
{"cniVersion": "0.4.0", "name": "gantry", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": false, "hairpinMode": true,
   "ipam": {"type": "host-local", "dataDir": "$state/cni-ipam",
            "ranges": [[{"subnet": "$(node_cidr "$name")"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}, "snat": true}]}
JSON
}

containerd_answers() { on_node "$1" ctr --connect-timeout 1s -a "$DEV/nodes/$1/containerd.sock" version; }

start_containerd() {
    local name=$1
    start "containerd-$name" nsenter --net="/run/netns/$(node_netns "$name")" --mount="$DEV/ns/$name/mnt" \
        --uts="$DEV/ns/$name/uts" containerd -c "$DEV/nodes/$name/containerd.toml"
    await 15 "containerd of $name" containerd_answers "$name"
}

start_kubelet() {
    local name=$1 state=$DEV/nodes/$1
    start "kubelet-$name" nsenter --net="/run/netns/$(node_netns "$name")" --mount="$DEV/ns/$name/mnt" \
        --uts="$DEV/ns/$name/uts" "$PROGRAMS/kubelet-lite" \
        --node-name "$name" --node-ip "$(node_ip "$name")" \
        --kubeconfig "$DEV/cluster/nodes/$name/kubeconfig" \
        --client-ca "$DEV/cluster/ca.crt" --tls-cert "$DEV/cluster/nodes/$name/tls.crt" \
        --tls-key "$DEV/cluster/nodes/$name/tls.key" \
        --cri-socket "unix:$state/containerd.sock" --root "$state/kubelet" \
        --cgroup-root "/$CGROUP/$name" --listen "tcp:$(node_ip "$name"):10250"
}

import_image() {
    on_node "$1" ctr -a "$DEV/nodes/$1/containerd.sock" -n k8s.io images import "$DEV/images/$2.tar"
}

start_node() {
    local name=$1 state=$DEV/nodes/$1
    mkdir -p "$state/kubelet"
    pin_namespaces "$name"
    write_containerd_config "$name"
    write_cni_config "$name"
    alive "containerd-$name" || start_containerd "$name"
    if [ ! -e "$state/images-imported" ]; then
        import_image "$name" pause
        import_image "$name" busybox
        touch "$state/images-imported"
    fi
    alive "kubelet-$name" || start_kubelet "$name"
}
