# Shared by the files of bazel/dev: where things are, how a step is shown, how a process is started.
ROOT=$PWD
DEV=$ROOT/.dev
LOG=$DEV/log
RUN=$DEV/run
# One checkout, one instance: names of namespaces and cgroups carry a digest of its path.
ID=$(printf %s "$ROOT" | sha1sum | cut -c1-6)
FABRIC=gantry-$ID-fab
CGROUP=gantry-$ID
MEMBERS="m1 m2 m3"
NODES="node-1 node-2"
KUBECONFIG_FILE=$DEV/kubeconfig

# How this checkout's cluster is laid out: "fabric", all members in one namespace, or "spread", each on
# a machine of its own (machine.sh). `up` decides, once; everything else reads it here.
LAYOUT_FILE=$DEV/layout
layout() { cat "$LAYOUT_FILE" 2>/dev/null || echo fabric; }
is_spread() { [ "$(layout)" = spread ]; }

member_ip() { echo "10.250.0.1${1#m}"; }   # m1 -> 10.250.0.11
# The namespace a member runs in.
member_netns() { if is_spread; then echo "gantry-$ID-$1"; else echo "$FABRIC"; fi; }
node_index() { echo "${1#node-}"; }
node_ip() { echo "10.250.0.$(node_index "$1")"; }
node_cidr() { echo "10.244.$(node_index "$1").0/24"; }
node_netns() { echo "gantry-$ID-$1"; }

die() {
    echo "dev: $*" >&2
    exit 1
}

now_ms() { date +%s%3N; }

# On a terminal, what a long step does now: the end of its log, over the line of the step.
show_progress() { # PID OF THE STEP'S OWNER, TEXT, LOG
    local owner=$1 text=$2 log=$3 last
    while sleep 1 && [ -d "/proc/$owner" ]; do
        last=$(tail -c 300 "$log" 2>/dev/null | tr '\r' '\n' | grep -v '^ *$' | tail -n 1 | tr -cd '[:print:]' || true)
        printf '\r\033[K  %-44s %.60s' "$text" "$last"
    done
}

# step TEXT COMMAND...: runs it with its output in a log; shows the text, then the time it took.
step() {
    local text=$1 began took log progress=''
    shift
    began=$(now_ms)
    log=$LOG/$(echo "$text" | tr -cs 'a-zA-Z0-9\n' '-' | sed 's/^-*//; s/-*$//').log
    mkdir -p "$LOG"
    : >"$log"
    printf '  %-44s ' "$text"
    if [ -t 1 ]; then
        show_progress $$ "$text" "$log" &
        progress=$!
    fi
    # Not inside a condition: there bash would ignore errexit in all of the step.
    set +e
    (set -e && "$@") >"$log" 2>&1
    local status=$?
    if [ -n "$progress" ]; then
        kill "$progress" && wait "$progress" 2>/dev/null
        printf '\r\033[K  %-44s ' "$text"
    fi
    set -e
    if [ $status = 0 ]; then
        took=$(($(now_ms) - began))
        printf '%3d.%d s\n' $((took / 1000)) $((took % 1000 / 100))
    else
        printf 'failed\n\n'
        tail -n 25 "$log" >&2
        echo "dev: '$text' failed; the whole log is ${log#"$ROOT"/}" >&2
        exit 1
    fi
}

# await SECONDS WHAT COMMAND...: polls until the command succeeds. In vain: says what it said at first, too, for
# what it says at last may only follow from that.
await() {
    local began first='' said what=$2 until
    began=$(now_ms)
    until=$((began + $1 * 1000))
    shift 2
    until said=$("$@" 2>&1); do
        [ -n "$first" ] || first="after $(($(now_ms) - began)) ms: $said"
        [ "$(now_ms)" -lt "$until" ] || {
            printf 'waited in vain for %s\nat first, %s\nat last: %s\n' "$what" "$first" "$said" >&2
            return 1
        }
        sleep 0.1
    done
}

pid_of() { cat "$RUN/$1.pid" 2>/dev/null || true; }
# Neither a zombie nor another process that got the number: both have no word of .dev in their command.
alive() {
    local pid
    pid=$(pid_of "$1")
    [ -n "$pid" ] && tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF "$DEV/"
} 2>/dev/null

# Everything `up` starts carries this checkout's mark in its environment, so that `down` finds also what
# an interrupted `up` left behind.
MARK=GANTRY_DEV=$ID

# One `up` or `down` at a time in a checkout.
lock() {
    local file=$DEV/lock pid
    mkdir -p "$DEV"
    pid=$(cat "$file" 2>/dev/null || true)
    if [ -n "$pid" ] && [ "$pid" != $$ ] && grep -qsz '\(^\|/\)dev$' "/proc/$pid/cmdline"; then
        die "another ./dev up or down is at work here (pid $pid); wait for it, or kill it and run ./dev down"
    fi
    echo $$ >"$file"
    trap 'rm -f "$DEV/lock"' EXIT
}

# start NAME COMMAND...: in the background, in a session of its own, log and pid file by name.
start() {
    local name=$1
    shift
    mkdir -p "$RUN" "$LOG"
    setsid bash -c 'echo $$ >"$1"; shift; exec "$@"' _ "$RUN/$name.pid" "$@" \
        >>"$LOG/$name.log" 2>&1 </dev/null &
    disown
}

# Without the mark: Bazel's server outlives the cluster.
bazel_build() { env -u GANTRY_DEV bazel build --config=release "$@"; }

bin() { echo "$ROOT/bazel-bin/$1"; }

# The programs of the running cluster are copies, so that a later build does not replace them.
PROGRAMS=$DEV/bin

kubectl_dev() { kubectl --kubeconfig "$KUBECONFIG_FILE" "$@"; }
