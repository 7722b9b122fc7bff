# Sourced by tests of every installed kubectl against one member: $gantryd is its program, $kubectls
# the kubectls ($KUBECTLS names further ones, with spaces between), $work a folder that goes at the end.
# $member_flags are further flags of the member. With no kubectl here the test ends, and says so.
bin=$(dirname "$(readlink -f "$(command -v kubectl || echo /nonexistent)")")
kubectls="$(ls "$bin"/kubectl "$bin"/kubectl.1.[0-9]* 2>/dev/null) ${KUBECTLS:-}"
[ -n "${kubectls// /}" ] || {
    echo "$(basename "$0" .sh): no kubectl here, nothing tested"
    exit 0
}

work=$(mktemp -d)
pid=
finish() {
    [ -n "$pid" ] && kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
    rm -rf "$work"
}
trap finish EXIT

failed=0
version=
# expect TEXT COMMAND...: the command's output has the text.
expect() {
    local text=$1 out
    shift
    out=$("$@" 2>&1)
    if ! grep -qF -- "$text" <<<"$out"; then
        echo "FAIL ($version): ${*:2}: no '$text' in:"
        head -40 <<<"$out" | sed 's/^/    /'
        failed=1
    fi
}

# An address of its own: members' ports are fixed.
address=127.$((RANDOM % 200 + 20)).$((RANDOM % 250)).$((RANDOM % 250 + 1))
"$gantryd" init --out "$work/cluster" --member "a=$address" \
    --member-server "a=https://$address:6443" >/dev/null || exit 1
"$gantryd" run --cluster "$work/cluster" --name a --data "$work/data" \
    --listen "tcp:$address:6443" ${member_flags:-} >"$work/log" 2>&1 &
pid=$!
export KUBECONFIG=$work/cluster/admin.kubeconfig
for _ in $(seq 100); do
    ${kubectls%%[[:space:]]*} get ns default >/dev/null 2>&1 && break
    sleep 0.1
done
