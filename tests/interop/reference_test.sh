#!/bin/bash
# kubectl's reference, command by command: every command of `kubectl --help` and of its reference page with what its
# examples do, from the table in reference/. Which kubectl runs how much of it:
#  - the oldest and the newest here run the whole table;
#  - the versions between share it out: the second oldest runs groups 1, 1 + N, 1 + 2N, ... where N is how many lie
#    between, the third oldest 2, 2 + N, ...: together they go through the table once more;
#  - KUBECTLS_ALL=1: every version runs every group.
# A group is what lies between two `== NAME` lines. It has a folder, a namespace ($ns), a number ($n) for the names of
# what has no namespace, and a kubeconfig of its own, so that groups of all versions run side by side.
# Containers run nowhere here: exec, logs, cp, attach and port-forward of running ones are tests/e2e's.
# REFERENCE_GROUP=N: only that group.
# usage: reference_test.sh GANTRYD TABLE...
set -u
export LC_ALL=C
gantryd=$1
shift
# Debian's, beside another that is installed.
unpacked=$(dirname "$(readlink -f "$0")")/../../.dev/packages/usr/bin/kubectl
[ ! -x "$unpacked" ] || export KUBECTLS="${KUBECTLS:-} $unpacked"
tables=$(realpath "$@")
here=$(realpath "$(dirname "$0")")
. "$here/member.sh"
. "$here/reference_files.sh"

# Groups at once: a kubectl waits for the server as long as it works itself.
PARALLEL=$(($(nproc) + 1))

minor_of() { "$1" version --client 2>/dev/null | grep -o 'v1\.[0-9]*\.' | head -1 | cut -d. -f2; }

# Versions ascending, one a line: "minor path". A dispatcher only runs one of the others.
versions() {
    local one
    for one in $kubectls; do
        "$one" version --client 2>&1 | grep -q -- -dispatcher && [ "$(wc -w <<<"$kubectls")" -gt 1 ] && continue
        echo "$(minor_of "$one") $one"
    done | sort -n | awk '!seen[$1]++'
}

# in_range MINOR RANGE: "-" all, "20" one, "27+" from there, "20-30" both included.
in_range() {
    case $2 in
    -) return 0 ;;
    *+) [ "$1" -ge "${2%+}" ] ;;
    *-*) [ "$1" -ge "${2%-*}" ] && [ "$1" -le "${2#*-}" ] ;;
    *) [ "$1" = "$2" ] ;;
    esac
}

# has TEXT OUTPUT: the output has the pieces of TEXT (between " ... ", at most six) in this order; "=TEXT": it is that.
has() {
    local rest=$1 pieces=()
    if [[ $rest == =* ]]; then
        [ "$2" = "${rest#=}" ]
        return
    fi
    while [[ $rest == *' ... '* ]]; do
        pieces+=("${rest%%' ... '*}")
        rest=${rest#*' ... '}
    done
    pieces+=("$rest" '' '' '' '' '')
    [[ $2 == *"${pieces[0]}"*"${pieces[1]}"*"${pieces[2]}"*"${pieces[3]}"*"${pieces[4]}"*"${pieces[5]}"* ]]
}

COMMAND_SECONDS=60
kubectl() { timeout "$COMMAND_SECONDS" "$program" "$@"; }

# edits SED COMMAND...: the command with an editor that does this.
edits() {
    echo "$1" >edit.sed
    KUBE_EDITOR="sed -i -f edit.sed" kubectl "${@:2}"
}

# proxied PATH FLAG...: what `kubectl proxy FLAG...` answers to that path.
proxied() {
    local port
    : >proxy.out # of the one before: the next line's program empties it too late for the loop
    "$program" proxy --port=0 "${@:2}" >proxy.out 2>&1 &
    for _ in $(seq 100); do
        port=$(sed -n 's/.*127.0.0.1:\([0-9]*\).*/\1/p' proxy.out)
        [ -n "$port" ] && break
        sleep 0.05
    done
    curl -s -m 10 "http://127.0.0.1:$port$1"
    kill $!
    wait $! 2>/dev/null
    return 0
}

one_row() { # RANGE RC TEXT COMMAND LINE
    local out code text
    in_range "$minor" "$1" || return 0
    out=$(eval "$4" 2>&1 </dev/null)
    code=$?
    text=${3//'$ns'/$ns}
    text=${text//'$n'/$n}
    text=${text//@nl/$'\n'}
    rows=$((rows + 1))
    [ "$code" = "$2" ] && has "$text" "$out" && return
    printf 'FAIL (1.%s, line %s): %s\n    ends with %s, not %s; wanted: %s\n' "$minor" "$5" "$4" "$code" "$2" "$text"
    head -20 <<<"$out" | sed 's/^/    /'
}

# one_group PROGRAM MINOR FILE: the rows of the file, in a namespace of their own.
one_group() {
    local program=$1 minor=$2 range code text command rows=0
    n=$minor-$(basename "$3")
    ns=g$n
    export HOME=$work/home-$minor KUBECONFIG=$work/$n/config TMPDIR=$work/$n
    mkdir -p "$HOME" "$work/$n"
    cd "$work/$n" || exit 1
    sed 's/^\( *\)user: .*/&\n\1namespace: '"$ns/" "$work/cluster/admin.kubeconfig" >config
    cp -r "$work/files/." .
    write_own_files
    kubectl create ns "$ns" >/dev/null || echo "FAIL (1.$minor): no namespace $ns"
    while IFS='|' read -r range code text command; do
        trim code
        trim text
        trim command
        one_row "${range%%@*}" "$code" "$text" "$command" "${range#*@}"
    done <"$3"
    echo "$rows" >rows
}

# trim VARIABLE: without the blanks around it.
trim() {
    local -n trimmed=$1
    trimmed=${trimmed#"${trimmed%%[![:space:]]*}"}
    trimmed=${trimmed%"${trimmed##*[![:space:]]}"}
}

# One file a group, of rows "range@line|code|text|command".
mkdir "$work/groups"
# shellcheck disable=SC2086 # one word a file
awk -v folder="$work/groups" '
    FNR == 1 { file = FILENAME; sub(/.*\//, "", file) }
    /^== / { group++; next }
    /^#/ || /^$/ { next }
    { at = index($0, "|"); range = substr($0, 1, at - 1); gsub(/ /, "", range)
      print range "@" file ":" FNR substr($0, at) >(folder "/" group) }
' $tables
groups=$(ls "$work/groups" | wc -l)

keys=$work/keys
mkdir "$keys"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=x -days 1 \
    -keyout "$keys/tls.key" -out "$keys/tls.crt" 2>/dev/null
mkdir "$work/files"
(cd "$work/files" && write_files)

versions >"$work/versions"
last=$(wc -l <"$work/versions")
between=$((last - 2))
at=0
while read -r minor program; do
    for group in $(seq "$groups"); do
        [ -n "${REFERENCE_GROUP:-}" ] && [ "$REFERENCE_GROUP" != "$group" ] && continue
        [ "$at" = 0 ] || [ "$at" = $((last - 1)) ] || [ -n "${KUBECTLS_ALL:-}" ] ||
            [ $(((group - 1) % between)) = $((at - 1)) ] || continue
        while [ "$(jobs -rp | wc -l)" -gt "$PARALLEL" ]; do wait -n; done
        (trap - EXIT; one_group "$program" "$minor" "$work/groups/$group") >"$work/out-$minor-$group" 2>&1 &
    done
    at=$((at + 1))
done <"$work/versions"
for job in $(jobs -rp); do [ "$job" = "$pid" ] || wait "$job"; done

cat "$work"/out-* | head -400
grep -q . "$work"/out-* && failed=1
kill -0 "$pid" 2>/dev/null || { echo "FAIL: gantryd is gone"; tail -20 "$work/log"; failed=1; }
while read -r minor program; do
    echo "reference_test: kubectl 1.$minor ran $(cat "$work/$minor"-*/rows 2>/dev/null | awk '{ s += $1 } END { print s + 0 }') commands"
done <"$work/versions"
exit $failed
