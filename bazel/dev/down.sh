# ./dev down: ends every process, namespace, mount and cgroup of this checkout's cluster, also after a
# crash: it goes by what the kernel says belongs to it, not by what a run remembered.
. bazel/dev/machine.sh

# "net 4026532417" of each namespace of ours.
our_namespaces() {
    local file
    for file in /run/netns/gantry-"$ID"-*; do
        [ ! -e "$file" ] || stat -Lc 'net %i' "$file"
    done
    for file in "$DEV"/ns/*/mnt; do
        [ ! -e "$file" ] || stat -Lc 'mnt %i' "$file"
    done
}

parent_of() { awk '/^PPid:/ {print $2}' "/proc/$1/status" 2>/dev/null; }

# Is it this ./dev, or one of its children? Of a process that is gone nothing needs to be ended either.
is_this_dev() {
    local pid=$1
    while [ "${pid:-1}" -gt 1 ]; do
        [ "$pid" != $$ ] || return 0
        pid=$(parent_of "$pid")
    done
    [ -z "$pid" ]
}

# Processes in our network or mount namespaces, in our cgroups, or that an `up` of this checkout started;
# but not this ./dev, its children and its parents. Few commands for all of /proc, since a machine may run thousands.
our_processes() {
    local parents=" " pid=$$
    while [ "${pid:-1}" -gt 1 ]; do
        parents+="$pid "
        pid=$(parent_of "$pid")
    done
    {
        stat -Lc '%n %i' /proc/[0-9]*/ns/net /proc/[0-9]*/ns/mnt |
            awk -v spaces="$(our_namespaces)" '
                BEGIN { n = split(spaces, line, "\n"); for (i = 1; i <= n; i++) ours[line[i]] = 1 }
                { split($1, part, "/"); if ((part[5] " " $2) in ours) print part[3] }'
        grep -ls "/$CGROUP/" /proc/[0-9]*/cgroup | cut -d/ -f3
        grep -lsaxz "$MARK" /proc/[0-9]*/environ | cut -d/ -f3
    } 2>/dev/null | sort -un | while read -r pid; do
        [[ $parents == *" $pid "* ]] || is_this_dev "$pid" || ! grep -qs '^State:.[^ZX]' "/proc/$pid/status" || echo "$pid"
    done
    return 0
}

end_processes() { # SIGNAL TRIES
    local signal=$1 tries=$2 pids
    while [ "$tries" -gt 0 ]; do
        pids=$(our_processes | sort -un | tr '\n' ' ')
        [ -n "${pids// /}" ] || return 0
        # shellcheck disable=SC2086 # a list of numbers
        kill "-$signal" $pids 2>/dev/null || true
        tries=$((tries - 1))
        sleep 0.1
    done
    return 1
}

# Everything that runs and every trace of it in the kernel; the files stay.
stop_all() {
    local file dir name tries left
    # Agents and members first and kindly, so that they sync; then whatever is left, shims and pods included.
    for file in "$RUN"/kubelet-*.pid "$RUN"/m?.pid; do
        name=$(basename "$file" .pid)
        ! alive "$name" || kill -TERM "$(pid_of "$name")" 2>/dev/null || true
    done
    for tries in 1 2 3 4 5 6 7 8 9 10; do
        left=''
        for file in "$RUN"/kubelet-*.pid "$RUN"/m?.pid; do
            ! alive "$(basename "$file" .pid)" || left=1
        done
        [ -n "$left" ] || break
        sleep 0.1
    done
    end_processes KILL 50 || { echo 'processes that do not end:' && our_processes && return 1; }
    rm -f "$RUN"/*.pid
    # Mounts below .dev, deepest first; then the pinned namespaces, whose own mounts end with them.
    awk -v under="$DEV/" '$5 ~ "^" under {print $5}' /proc/self/mountinfo | sort -r | while read -r dir; do
        umount -l "$dir" || true
    done
    detach_disks
    for file in /run/netns/gantry-"$ID"-*; do
        [ -e "$file" ] && ip netns del "$(basename "$file")"
    done
    # One end of a node's link is in this namespace until it is moved; `up` may have ended in between.
    for file in /sys/class/net/gt"$ID"* /sys/class/net/gp"$ID"*; do
        [ ! -e "$file" ] || ip link del "$(basename "$file")" 2>/dev/null || true
    done
    remove_cgroups
}

down_all() {
    stop_all
    # A mount of somebody else's below here would be a bug of ours: nothing on another file system is removed.
    rm -rf --one-file-system "$DEV/ns" "$DEV/nodes" "$DEV/data" "$DISKS" "$LAYOUT_FILE" "$DEV/cluster" "$DEV/ports" \
        "$DEV"/oci.* "$DEV"/rootfs.* "$KUBECONFIG_FILE"
}

remove_cgroups() {
    local top tries
    for top in /sys/fs/cgroup/"$CGROUP" /sys/fs/cgroup/*/"$CGROUP"; do
        [ -d "$top" ] || continue
        for tries in 1 2 3 4 5; do
            find "$top" -depth -type d -exec rmdir {} + 2>/dev/null && break
            sleep 0.1
        done
        [ ! -d "$top" ] || { echo "cgroup $top is still in use" && return 1; }
    done
}

# `down` wins over an `up` that is at work: its shell and what that started ends first.
end_interrupted_up() {
    local pid
    pid=$(cat "$DEV/lock" 2>/dev/null || true)
    [ -n "$pid" ] && grep -qsaxz "$MARK" "/proc/$pid/environ" && kill -KILL "$pid" 2>/dev/null
    rm -f "$DEV/lock"
}

dev_down() {
    [ "$(id -u)" = 0 ] || die 'down ends what root started: run it as root'
    [ $# = 0 ] || die "down takes no arguments; it ends what ./dev up of this checkout started"
    end_interrupted_up
    lock
    step 'processes, namespaces, mounts, cgroups' down_all
}
