# ./dev down: ends every process, namespace, mount and cgroup of this checkout's cluster, also after a
# crash: it goes by what the kernel says belongs to it, not by what a run remembered.

our_namespaces() {
    local file
    for file in /run/netns/gantry-"$ID"-* "$DEV"/ns/*/mnt; do
        [ -e "$file" ] && stat -Lc %i "$file"
    done
    return 0
}

# Processes in our network or mount namespaces, in our cgroups, or named by a pid file that is still true. One
# command looks at all processes for each question: a machine may have many.
our_processes() {
    local spaces file pid
    spaces=$(our_namespaces | sort -u | paste -sd' ')
    [ -z "$spaces" ] || { stat -Lc '%i %n' /proc/[0-9]*/ns/net /proc/[0-9]*/ns/mnt 2>/dev/null || true; } |
        awk -v spaces="$spaces" 'BEGIN {split(spaces, s, " "); for (i in s) ours[s[i]]}
            $1 in ours {split($2, p, "/"); print p[3]}'
    { grep -ls "/$CGROUP/" /proc/[0-9]*/cgroup || true; } | cut -d/ -f3
    for file in "$RUN"/*.pid; do
        pid=$(cat "$file" 2>/dev/null) || continue
        tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF "$DEV" && echo "$pid"
    done
    return 0
}

# signal NAME PIDS...
end_processes() {
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

down_all() {
    local file dir
    # Agents and members first and kindly, so that they sync; then whatever is left, shims and pods included.
    for file in "$RUN"/kubelet-*.pid "$RUN"/m?.pid; do
        [ -e "$file" ] && grep -qs "$DEV" "/proc/$(cat "$file")/cmdline" && kill -TERM "$(cat "$file")" 2>/dev/null
    done
    sleep 0.2
    end_processes KILL 50 || { echo 'processes that do not end:' && our_processes && return 1; }
    rm -f "$RUN"/*.pid
    # Mounts below .dev, deepest first; then the pinned namespaces, whose own mounts end with them.
    awk -v under="$DEV/" '$5 ~ "^" under {print $5}' /proc/self/mountinfo | sort -r | while read -r dir; do
        umount -l "$dir" || true
    done
    for file in /run/netns/gantry-"$ID"-*; do
        [ -e "$file" ] && ip netns del "$(basename "$file")"
    done
    remove_cgroups
    rm -rf "$DEV/ns" "$DEV/nodes" "$DEV/data" "$DEV/raft" "$DEV/cluster" "$DEV/ports" "$KUBECONFIG_FILE"
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

dev_down() {
    [ "$(id -u)" = 0 ] || die 'down ends what root started: run it as root'
    mkdir -p "$LOG"
    step 'processes, namespaces, mounts, cgroups' down_all
}
