# ./dev bench [NAME]: each is a program or script under tests/bench that ends every figure with one line
# `bench NAME gantry=N peer=N ratio=N unit=U goal=G met=yes|no`.
. bazel/dev/deps.sh

BENCHES='store pod idle bus'

dev_bench() {
    [ $# -le 1 ] || die 'usage: ./dev bench [NAME]'
    local name
    mkdir -p "$LOG"
    dev_deps
    for name in ${1:-$BENCHES}; do
        [ -e "tests/bench/$name.sh" ] || die "no bench '$name'; there are: $(basename -s .sh tests/bench/*.sh | grep -vx lib | tr '\n' ' ')"
        bash "tests/bench/$name.sh"
    done
}
