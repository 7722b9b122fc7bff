# `./dev up --spread`: one machine per member, emulated: a network namespace with its own link to the
# fabric and its own address, and a disk of its own: an ext4 file system on a loop device.
DISKS=$DEV/disks
DISK_BYTES=2G

disk_image() { echo "$DISKS/$1.img"; }
# The loop device of a member's disk; nothing when there is none.
disk_device() { losetup -j "$(disk_image "$1")" 2>/dev/null | cut -d: -f1 | head -n 1; }

# Is there a loop device to have? A container may lack them. If not, says why.
can_spread() {
    local probe=$DEV/loop-probe said status=0
    mkdir -p "$DEV"
    truncate -s 1M "$probe"
    said=$(losetup -f --show "$probe" 2>&1) || status=1
    [ $status = 1 ] || losetup -d "$said"
    rm -f "$probe"
    [ $status = 0 ] || { echo "$said" && return 1; }
}

check_loop_devices() {
    local why
    why=$(can_spread) ||
        die "--spread gives each member a disk on a loop device, and there is none to have here ($why); ./dev up works without"
}

machine_index() { echo "1${1#m}"; } # m1 -> 11, as in its address

# The cable of a member's machine, pulled and plugged at the fabric's end: the machine keeps its routes.
unplug() { ip -n "$FABRIC" link set "veth$(machine_index "$1")" down; }
plug_in() { ip -n "$FABRIC" link set "veth$(machine_index "$1")" up; }

make_machine_network() {
    local name=$1 netns index
    netns=$(member_netns "$name")
    index=$(machine_index "$name")
    ip netns add "$netns"
    ip -n "$netns" link set lo up
    ip link add "gt$ID$index" type veth peer name "gp$ID$index"
    ip link set "gt$ID$index" netns "$netns" name eth0
    ip link set "gp$ID$index" netns "$FABRIC" name "veth$index"
    ip -n "$FABRIC" link set "veth$index" master br0 up
    ip -n "$netns" addr add "$(member_ip "$name")/24" dev eth0
    ip -n "$netns" link set eth0 up
    # Pods, through the fabric, which knows the nodes.
    ip -n "$netns" route add default via 10.250.0.254
    nsenter --net="/run/netns/$FABRIC" sysctl -qw net.ipv4.ip_forward=1
}

# Also after a kill or a reboot: the file system of a disk that is there is kept.
mount_disks() {
    local name image device
    mkdir -p -m 700 "$DISKS"
    for name in $MEMBERS; do
        mkdir -p -m 700 "$DEV/data/$name"
        mountpoint -q "$DEV/data/$name" && continue
        image=$(disk_image "$name")
        if [ ! -e "$image" ]; then
            truncate -s "$DISK_BYTES" "$image.new"
            mkfs.ext4 -q -F -m 0 "$image.new"
            mv "$image.new" "$image"
        fi
        device=$(disk_device "$name")
        [ -n "$device" ] || device=$(losetup -f --show "$image")
        mount -t ext4 "$device" "$DEV/data/$name"
        chmod 700 "$DEV/data/$name"
    done
}

# After the file systems were unmounted. A device in use for a moment longer goes with its last user.
detach_disks() {
    local image
    for image in "$DISKS"/*.img; do
        [ -e "$image" ] || continue
        losetup -j "$image" | cut -d: -f1 | xargs -r losetup -d
    done
}

disk_line() {
    df -h --output=used,size "$DEV/data/$1" 2>/dev/null | awk 'NR == 2 {print "disk " $1 "/" $2}'
}

link_line() {
    if ip -n "$FABRIC" link show "veth$(machine_index "$1")" up 2>/dev/null | grep -q .; then
        echo 'plugged in'
    else
        echo unplugged
    fi
}

spread_tips() {
    cat <<TXT
  ip -n $FABRIC link set veth$(machine_index m1) down   # unplugs m1's machine; "up" plugs it in
  dd if=/dev/zero of=.dev/data/m1/ballast bs=1M    # fills m1's disk; rm gives the room back
TXT
}
