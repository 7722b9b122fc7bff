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

member_ip() { echo "10.250.0.1${1#m}"; }   # m1 -> 10.250.0.11
node_index() { echo "${1#node-}"; }
node_ip() { echo "10.250.0.$(node_index "$1")"; }
node_cidr() { echo "10.244.$(node_index "$1").0/24"; }
node_netns() { echo "gantry-$ID-$1"; }

die() {
    echo "dev: $*" >&2
    exit 1
}

now_ms() { date +%s%3N; }

# step TEXT COMMAND...: runs it with its output in a log; shows the text, then the time it took.
step() {
    local text=$1 began took log
    shift
    began=$(now_ms)
    log=$LOG/up.$(echo "$text" | tr -c 'a-zA-Z0-9\n' '-').log
    mkdir -p "$LOG"
    printf '  %-44s ' "$text"
    # Not inside a condition: there bash would ignore errexit in all of the step.
    set +e
    (set -e && "$@") >"$log" 2>&1
    local status=$?
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

# await SECONDS WHAT COMMAND...: polls until the command succeeds.
await() {
    local until=$(($(now_ms) + $1 * 1000)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        [ "$(now_ms)" -lt "$until" ] || {
            echo "waited in vain for $what" >&2
            "$@" || true
            return 1
        }
        sleep 0.1
    done
}

pid_of() { cat "$RUN/$1.pid" 2>/dev/null || true; }
alive() {
    local pid
    pid=$(pid_of "$1")
    [ -n "$pid" ] && [ -d "/proc/$pid" ]
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

bazel_build() {
    bazel build --config=release "$@"
}

bin() { echo "$ROOT/bazel-bin/$1"; }

# The programs of the running cluster are copies, so that a later build does not replace them.
PROGRAMS=$DEV/bin

kubectl_dev() { kubectl --kubeconfig "$KUBECONFIG_FILE" "$@"; }
