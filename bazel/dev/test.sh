# ./dev test, sim, fuzz, fmt.
. bazel/dev/deps.sh
. bazel/dev/machine.sh

# What Bazel runs: unit, interop and fuzz-corpus tests, the simulation, the tidy test.
bazel_tests() { # CONFIG... -- PATTERN
    local configs=() targets
    while [ "$1" != -- ]; do
        configs+=("$1")
        shift
    done
    targets=$(bazel query --noshow_progress "attr(tags, '^((?!manual).)*$', tests(//...)) $2" 2>"$LOG/query.log") || {
        cat "$LOG/query.log" >&2
        die 'the tests could not be listed: a BUILD file above, or the pattern, is wrong'
    }
    [ -n "$targets" ] || return 0
    MATCHED=1
    # shellcheck disable=SC2086 # one word a target
    bazel test "${configs[@]}" $targets
}

# Tests whose code runs on several threads: loops, the store's applier and readers, the bus over a real store.
THREADED='//tests/unit/base/... union //tests/unit/store/... union //tests/unit/controlplane/bus/...'

# Runs Bazel in view: its own progress is the progress. A failing test prints its output.
show_step() {
    local text=$1 began took
    shift
    began=$(now_ms)
    echo "== $text"
    "$@"
    took=$(($(now_ms) - began))
    printf '== %s: %d.%d s\n' "$text" $((took / 1000)) $((took % 1000 / 100))
}

e2e_tests() { find tests/e2e -name '*_test.sh' 2>/dev/null | sort; }

run_e2e() {
    local test failed='' began name
    local -A lines
    [ $# -gt 0 ] || return 0
    MATCHED=1
    # A machine for each member where that can be had: closer to what runs elsewhere.
    if can_spread >/dev/null; then ./dev up --spread; else ./dev up; fi
    for test in "$@"; do
        began=$(now_ms)
        for name in $MEMBERS; do lines[$name]=$(wc -l <"$LOG/$name.log"); done
        if bash "$test" >"$LOG/$(basename "$test" .sh).log" 2>&1; then
            printf '  PASS %-40s %d ms\n' "$(basename "$test" .sh)" $(($(now_ms) - began))
            grep -h '^figure ' "$LOG/$(basename "$test" .sh).log" || true
        else
            printf '  FAIL %-40s %s\n' "$(basename "$test" .sh)" ".dev/log/$(basename "$test" .sh).log"
            tail -n 40 "$LOG/$(basename "$test" .sh).log"
            for name in $MEMBERS; do
                echo "$name, what it logged meanwhile:"
                tail -n "+$((lines[$name] + 1))" "$LOG/$name.log" | tail -n 40
            done
            failed+=" $(basename "$test" .sh)"
        fi
    done
    ./dev down
    [ -z "$failed" ] || die "failed:$failed"
}

fault_tests() { find tests/fault -name '*_test.sh' 2>/dev/null | sort; }

# Whole members under faults: real processes, so outside of Bazel. Each prints a line a scenario.
run_fault() {
    local test failed=''
    MATCHED=1
    for test in "$@"; do
        bash "$test" >"$LOG/$(basename "$test" .sh)-fault.log" 2>&1 || failed+=" $(basename "$test" .sh)"
        grep -hE '^  (PASS|FAIL) |^SKIP|^seed ' "$LOG/$(basename "$test" .sh)-fault.log" || true
    done
    [ -z "$failed" ] || {
        tail -n 60 "$LOG/$(basename "${failed##* }")-fault.log"
        die "failed under faults:$failed; the members' logs are in .dev/log/fault"
    }
}

dev_test() {
    [ $# -le 1 ] || die 'usage: ./dev test [PATTERN]; one regular expression, as in ./dev test "store|bus"'
    local pattern=${1:-} filter='' chosen
    mkdir -p "$LOG"
    if [ "$pattern" = fresh ]; then
        . bazel/dev/fresh.sh
        dev_fresh
        return
    fi
    dev_test_deps
    [[ $pattern != *[\'\"]* ]] || die 'a pattern has no quotes in it'
    ! grep -qE -- "$pattern" <<<//tests/interop:clients_go_test || step "client-go's test program" go_programs
    [ -z "$pattern" ] || filter="intersect filter('$pattern', //...)"
    MATCHED=''
    show_step 'every test' bazel_tests -- "$filter"
    show_step 'unit tests and fuzz corpora under AddressSanitizer and UBSan' bazel_tests --config=asan -- \
        "intersect (//tests/unit/... union //tests/fuzz/...) except attr(tags, 'no-asan', //...) $filter"
    show_step 'where threads meet, under ThreadSanitizer' bazel_tests --config=tsan -- \
        "intersect ($THREADED) except attr(tags, 'no-tsan', //...) $filter"
    chosen=$(fault_tests | grep -E "${pattern:-.}" || true)
    # shellcheck disable=SC2086 # one word a file
    [ -z "$chosen" ] || show_step 'members under faults' run_fault $chosen
    if [ -z "$pattern" ]; then
        chosen=$(e2e_tests)
    else
        chosen=$(e2e_tests | grep -E "$pattern" || true)
    fi
    # shellcheck disable=SC2086 # one word a file
    [ -z "$chosen" ] || show_step 'a whole cluster' run_e2e $chosen
    [ -n "$MATCHED" ] || die "no test's name matches '$pattern'; \`bazel query 'tests(//...)'\` and tests/{e2e,fault}/*_test.sh are the names"
    echo 'ok'
}

# Both simulators: the consensus half in memory, and whole members on simulated hosts. A family is of
# one of them; a rule that is left out is of the first.
dev_sim() {
    mkdir -p "$LOG"
    echo 'building the simulators' >&2
    bazel build --noshow_progress //tests/sim:sim //tests/sim:cluster >"$LOG/sim-build.log" 2>&1 || {
        tail -n 30 "$LOG/sim-build.log" >&2
        exit 1
    }
    local sim cluster status=0 ran=0 one
    sim=$(bin tests/sim/sim)
    cluster=$(bin tests/sim/cluster)
    case " $* " in *' --without '*) exec "$sim" "$@" ;; esac
    case " $* " in *' --jobs '* | *' --verbose '* | *' --twice '*) exec "$cluster" "$@" ;; esac
    for one in "$sim" "$cluster"; do
        "$one" "$@" 2>"$LOG/sim-usage.log" && ran=1 && continue
        [ $? = 2 ] || { ran=1 && status=1; }
    done
    [ $ran = 1 ] || {
        cat "$LOG/sim-usage.log" >&2
        status=2
    }
    return $status
}

dev_fuzz() {
    [ $# = 2 ] || die 'usage: ./dev fuzz NAME SECONDS; the names are the folders of tests/fuzz'
    [ -d "tests/fuzz/$1" ] || die "no fuzz target '$1'; there are: $(cd tests/fuzz && echo */ | tr -d /)"
    command -v clang-14 >/dev/null || dev_deps
    [[ $2 =~ ^[1-9][0-9]*$ ]] || die "SECONDS is a number, not '$2'"
    bazel build --config=fuzz "//tests/fuzz/$1:$1_fuzzer"
    mkdir -p "$DEV/fuzz/$1"
    "$(bin "tests/fuzz/$1/$1_fuzzer")" -max_total_time="$2" -artifact_prefix="$DEV/fuzz/$1/crash-" \
        "$DEV/fuzz/$1" "tests/fuzz/$1/corpus" ||
        die "'$1' found something: the input is the newest .dev/fuzz/$1/crash-* (or leak-, timeout-); run the fuzzer on that file to see it again"
}

dev_fmt() {
    git ls-files -co --exclude-standard '*.c' '*.h' | xargs clang-format-14 -i
}
