# ./dev bench [NAME [FLAG...]]: each is a script under tests/bench that ends every figure with one line
# `bench NAME gantry=N peer=N ratio=N unit=U goal=G met=yes|no`.
. bazel/dev/deps.sh

BENCHES='store watch pod idle bus'

dev_bench() {
    local name=${1:-}
    mkdir -p "$LOG"
    dev_deps
    if [ -n "$name" ]; then
        [ "$name" != lib ] && [ -e "tests/bench/$name.sh" ] ||
            die "no bench '$name'; there are: $(basename -s .sh tests/bench/*.sh | grep -vx lib | tr '\n' ' ')"
        bash "tests/bench/$name.sh" "${@:2}"
        return
    fi
    for name in $BENCHES; do
        bash "tests/bench/$name.sh"
    done
}
