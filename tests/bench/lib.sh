# Shared by the benchmarks: medians, the one line each figure ends with, and members of Gantry and etcd on
# loopback addresses of this checkout's own, so that neither `./dev up` nor another checkout is in the way.

# figure NAME GANTRY PEER UNIT GOAL: GOAL is ratio>=N, abs<=N, abs>=N or -; the ratio is oriented so that above 1
# means Gantry is better: unit ops/s: gantry/peer, any other: peer/gantry.
figure() {
    awk -v name="$1" -v gantry="$2" -v peer="$3" -v unit="$4" -v goal="$5" 'BEGIN {
        ratio = "-"
        if (peer != "-" && gantry > 0 && peer > 0)
            ratio = sprintf("%.2f", unit == "ops/s" ? gantry / peer : peer / gantry)
        met = "yes"
        if (goal ~ /^ratio>=/) met = (ratio != "-" && ratio + 0 >= substr(goal, 8) + 0) ? "yes" : "no"
        if (gantry == "-" && goal != "-") met = "no"
        else if (goal ~ /^abs<=/) met = (gantry + 0 <= substr(goal, 6) + 0) ? "yes" : "no"
        else if (goal ~ /^abs>=/) met = (gantry + 0 >= substr(goal, 6) + 0) ? "yes" : "no"
        printf "bench %s gantry=%s peer=%s ratio=%s unit=%s goal=%s met=%s\n", name, gantry, peer, ratio, unit, goal, met
    }'
}

median() { sort -n | awk '{v[NR] = $1} END {print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }

# field NAME: the values of NAME=VALUE in the lines that come in
field() { sed -n "s/.*[ ^]$1=\([-0-9.]*\).*/\1/p"; }

# ---- members ----

NET=127.$((16#${ID:0:2} % 250 + 1)).$((16#${ID:2:2}))
GANTRY_PIDS=()
ETCD_PIDS=()

gantry_address() { echo "$NET.$1"; }
etcd_address() { echo "$NET.$((10 + $1))"; }

# kill_member PID: gone when it returns. (The shell forgot its jobs, so that it does not tell of each.)
kill_member() {
    kill -9 "$1" 2>/dev/null || true
    while [ -d "/proc/$1" ]; do sleep 0.01; done
}

# Every member started is written down: also one that a subshell started.
started() { # PID
    disown "$1"
    echo "$1" >>"$WORK/pids"
}

# stop_members: what was started with this $WORK is gone when it returns. A number may be another's by now.
stop_members() {
    local pid
    for pid in $(cat "$WORK/pids" 2>/dev/null); do
        ! tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF "$WORK/" || kill_member "$pid"
    done
    rm -f "$WORK/pids"
    GANTRY_PIDS=()
    ETCD_PIDS=()
}

# gantry_init COUNT: certificates and member list of a cluster in $WORK/cluster
gantry_init() {
    local i flags=()
    for ((i = 1; i <= $1; i++)); do flags+=(--member "m$i=$(gantry_address $i)"); done
    mkdir -p "$WORK"
    "$(bin controlplane/gantryd)" init --out "$WORK/cluster" "${flags[@]}" --node "n=$(etcd_address 1)" >/dev/null
}

# gantry_start N: member N, again if it ended. The only place that knows a member's flags.
gantry_start() {
    "$(bin controlplane/gantryd)" run --cluster "$WORK/cluster" --name "m$1" --data "$WORK/m$1" \
        --listen "tcp:$(gantry_address "$1"):6443" >>"$LOG/bench-m$1.log" 2>&1 &
    GANTRY_PIDS[$1]=$!
    started $!
}

# etcd_init COUNT: its certificates, by the same tool
etcd_init() {
    local i flags=()
    ETCD_CLUSTER=''
    for ((i = 1; i <= $1; i++)); do
        flags+=(--member "m$i=$(etcd_address $i)")
        ETCD_CLUSTER+="${ETCD_CLUSTER:+,}m$i=https://$(etcd_address $i):2380"
    done
    mkdir -p "$WORK/etcd"
    "$(bin controlplane/gantryd)" init --out "$WORK/etcd/tls" "${flags[@]}" >/dev/null
}

etcd_start() {
    local d=$WORK/etcd ip
    ip=$(etcd_address "$1")
    etcd --name "m$1" --data-dir "$d/m$1" --initial-cluster "$ETCD_CLUSTER" --initial-cluster-state new \
        --initial-advertise-peer-urls "https://$ip:2380" --listen-peer-urls "https://$ip:2380" \
        --listen-client-urls "https://$ip:2379" --advertise-client-urls "https://$ip:2379" \
        --cert-file "$d/tls/members/m$1/tls.crt" --key-file "$d/tls/members/m$1/tls.key" --trusted-ca-file "$d/tls/ca.crt" \
        --client-cert-auth --peer-cert-file "$d/tls/members/m$1/tls.crt" --peer-key-file "$d/tls/members/m$1/tls.key" \
        --peer-trusted-ca-file "$d/tls/ca.crt" --peer-client-cert-auth --quota-backend-bytes 8589934592 \
        >>"$LOG/bench-etcd$1.log" 2>&1 &
    ETCD_PIDS[$1]=$!
    started $!
}

# curl_to SYSTEM PATH FLAG...: as the administrator; SYSTEM is gantry:N or etcd:N
curl_to() {
    local tls=$WORK/cluster address
    address=$(gantry_address "${1#*:}"):6443
    if [ "${1%:*}" = etcd ]; then
        tls=$WORK/etcd/tls
        address=$(etcd_address "${1#*:}"):2379
    fi
    curl -sf --max-time 2 --cacert "$tls/ca.crt" --cert "$tls/admin.crt" --key "$tls/admin.key" "https://$address$2" "${@:3}"
}

# ready SYSTEM: does that member serve?
ready() {
    case $1 in
    gantry:*) curl_to "$1" /readyz ;;
    etcd:*) curl_to "$1" /health | grep -q true ;;
    esac
}

# start_cluster COUNT: both, and waits until they serve
start_cluster() {
    local i
    gantry_init "$1"
    for ((i = 1; i <= $1; i++)); do gantry_start $i; done
    etcd_init "$1"
    for ((i = 1; i <= $1; i++)); do etcd_start $i; done
    for ((i = 1; i <= $1; i++)); do
        await 20 "gantryd m$i" ready "gantry:$i"
        await 20 "etcd m$i" ready "etcd:$i"
    done
    MEMBERS_COUNT=$1
}

# leader SYSTEM: the number of the member that leads
leader() {
    local i status
    for ((i = 1; i <= MEMBERS_COUNT; i++)); do
        if [ "$1" = gantry ]; then
            status=$(curl_to "gantry:$i" /gantry/v1/member | awk '$1 == "cluster" {print $3}') || continue
            [ "$status" != "m$i" ] || { echo $i && return; }
        else
            status=$(curl_to "etcd:$i" /v3/maintenance/status -X POST -d '{}') || continue
            [ "$(sed 's/.*"leader":"\([0-9]*\)".*/\1/' <<<"$status")" != "$(sed 's/.*"member_id":"\([0-9]*\)".*/\1/' <<<"$status")" ] ||
                { echo $i && return; }
        fi
    done
    return 1
}

# servers SYSTEM [N...]: the addresses of all members, or of these
servers() {
    local i all='' system=$1
    shift
    [ $# -gt 0 ] || set -- $(seq "$MEMBERS_COUNT")
    for i; do
        [ "$system" = etcd ] && all+="${all:+,}$(etcd_address "$i"):2379" || all+="${all:+,}$(gantry_address "$i"):6443"
    done
    echo "$all"
}

pid_at() { [ "$1" = etcd ] && echo "${ETCD_PIDS[$2]}" || echo "${GANTRY_PIDS[$2]}"; } # SYSTEM N

pids() { # SYSTEM: "PID,PID,PID"
    local IFS=,
    [ "$1" = etcd ] && echo "${ETCD_PIDS[*]}" || echo "${GANTRY_PIDS[*]}"
}

# to SYSTEM PROGRAM FLAG...: a program of this folder against all members
to() {
    local tls=$WORK/cluster program
    [ "$1" != etcd ] || tls=$WORK/etcd/tls
    program=$(bin "tests/bench/$2")
    "$program" --mode "$1" --servers "${SERVERS:-$(servers "$1")}" --ca "$tls/ca.crt" --cert "$tls/admin.crt" \
        --key "$tls/admin.key" "${@:3}"
}

# result NAME SYSTEM FIELD: the median of a field over the lines of $WORK/NAME.SYSTEM; - when there is none
result() {
    local values
    values=$(field "$3" <"$WORK/$1.$2")
    [ -n "$values" ] && median <<<"$values" || echo -
}

# lost NAME SYSTEM: events that were missed or came twice; - when the load did not get to its end
lost() {
    awk '{print $1 == "-" || $2 == "-" ? "-" : $1 + $2}' <<<"$(result "$1" "$2" missed) $(result "$1" "$2" twice)"
}

# pss PID: "KIB_WITHOUT_THE_DATABASE'S_MAP KIB_OF_THAT_MAP"
pss() {
    awk '/^[0-9a-f]+-[0-9a-f]+ / {map = ($6 ~ /(data\.mdb|\/member\/snap\/db)$/)}
        /^Pss:/ {if (map) m += $2; else p += $2} END {print p + 0, m + 0}' "/proc/$1/smaps"
}

mib() { awk -v k="$1" 'BEGIN {printf "%.1f", k / 1024}'; }
