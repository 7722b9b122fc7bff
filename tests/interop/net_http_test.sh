#!/bin/bash
# curl, nghttp and h2load against our server: every mix of version, TLS and client certificate.
# usage: net_http_test.sh NET_SERVER NET_CERTS
set -u
server=$1
certs=$2
command -v curl >/dev/null || { echo "skipped: no curl"; exit 0; }
dir=$(mktemp -d)
pids=
trap 'kill $pids 2>/dev/null; wait $pids 2>/dev/null; rm -rf "$dir"' EXIT
"$certs" "$dir" || exit 1

start() { # NAME ADDRESS [TLS files]: the port is left in $port
    local out=$dir/$1.out
    shift
    "$server" "$@" >"$out" &
    pids="$pids $!"
    for _ in $(seq 50); do
        port=$(sed -n 's/^ready //p' "$out")
        [ -n "$port" ] && return
        sleep 0.1
    done
    echo "FAIL server did not start"
    exit 1
}

bad=0
check() { # NAME WANT GOT
    if [ "$2" = "$3" ]; then
        echo "ok   $1"
    else
        echo "FAIL $1: want '$2', got '$3'"
        bad=1
    fi
}

get() { timeout 20 curl -sS "$@" 2>&1; }
head -c 300000 /dev/urandom >"$dir/blob"

exercise() { # NAME WHO-ANSWER CURL-ARGS... URL
    local name=$1 who=$2
    shift 2
    local url=${!#}
    local options=("${@:1:$#-1}")
    check "$name: get" hello "$(get "${options[@]}" "$url/hello")"
    check "$name: identity" "$who" "$(get "${options[@]}" "$url/who")"
    check "$name: head" 200 "$(get "${options[@]}" -I -o "$dir/null" -w '%{http_code}' "$url/hello")"
    check "$name: missing" 404 "$(get "${options[@]}" -o "$dir/null" -w '%{http_code}' "$url/nothing")"
    check "$name: 8 MB with back-pressure" 8388608 "$(get "${options[@]}" "$url/big" | wc -c)"
    get "${options[@]}" --data-binary "@$dir/blob" -o "$dir/back" "$url/echo"
    check "$name: echo" same "$(cmp -s "$dir/blob" "$dir/back" && echo same)"
    check "$name: body of unknown length" 300000 \
        "$(get "${options[@]}" -X POST -T - "$url/echo" <"$dir/blob" | wc -c)"
    check "$name: two requests, one connection" 1 \
        "$(get "${options[@]}" -o "$dir/null" -w '%{num_connects}\n' "$url/hello" -o "$dir/null" "$url/hello" |
            awk '{ n += $1 } END { print n }')"
}

start plain tcp:127.0.0.1:0
plain=$port
start tls tcp:127.0.0.1:0 "$dir/server.pem" "$dir/server.key" "$dir/ca.pem"
tls=$port
start unix "unix:$dir/sock"

nobody="verified=0 cn= o="
admin="verified=1 cn=admin o=system:masters"
stranger="verified=0 cn=admin o=system:masters"
ca=(--cacert "$dir/ca.pem")
good=("${ca[@]}" --cert "$dir/client.pem" --key "$dir/client.key")
wrong=("${ca[@]}" --cert "$dir/stranger.pem" --key "$dir/stranger.key")
exercise "http1" "$nobody" --http1.1 "http://127.0.0.1:$plain"
exercise "http2" "$nobody" --http2-prior-knowledge "http://127.0.0.1:$plain"
exercise "unix" "$nobody" --unix-socket "$dir/sock" "http://localhost"
exercise "tls http1" "$nobody" --http1.1 "${ca[@]}" "https://localhost:$tls"
exercise "tls http2" "$nobody" "${ca[@]}" "https://127.0.0.1:$tls"
exercise "tls http1 client" "$admin" --http1.1 "${good[@]}" "https://127.0.0.1:$tls"
exercise "tls http2 client" "$admin" "${good[@]}" "https://127.0.0.1:$tls"
exercise "tls 1.2 client" "$admin" --tls-max 1.2 "${good[@]}" "https://127.0.0.1:$tls"
exercise "tls http2 stranger" "$stranger" "${wrong[@]}" "https://127.0.0.1:$tls"
check "no identity is 401" 401 "$(get "${ca[@]}" -o "$dir/null" -w '%{http_code}' "https://127.0.0.1:$tls/who")"
check "413" 413 "$(head -c 4000000 /dev/zero |
    get --http1.1 --data-binary @- -o "$dir/null" -w '%{http_code}' "http://127.0.0.1:$plain/echo")"
for i in 1 2 3 4; do echo "x$i: $(head -c 100000 /dev/zero | tr '\0' a)"; done >"$dir/long" # over HTTP_HEADER_BYTES_MAX
check "431" 431 "$(get -H "@$dir/long" -o "$dir/null" -w '%{http_code}' "http://127.0.0.1:$plain/hello")"

if command -v openssl >/dev/null; then
    check "openssl verifies our certificates" "$dir/server.pem: OK $dir/client.pem: OK" \
        "$(echo $(openssl verify -x509_strict -CAfile "$dir/ca.pem" "$dir/server.pem" "$dir/client.pem"))"
fi
if command -v nghttp >/dev/null; then
    check "nghttp" hello "$(timeout 20 nghttp "http://127.0.0.1:$plain/hello")"
    check "nghttp upgrade to h2c is declined" hello "$(timeout 20 curl -sS --http2 "http://127.0.0.1:$plain/hello")"
else
    echo "skipped: no nghttp"
fi
if command -v h2load >/dev/null; then
    load() { timeout 60 h2load "$@" | sed -n 's/.* \([0-9]*\) succeeded.*/\1/p'; }
    check "h2load h2" 5000 "$(load -n 5000 -c 8 -m 32 "http://127.0.0.1:$plain/hello")"
    check "h2load tls" 2000 "$(load -n 2000 -c 8 -m 8 "https://127.0.0.1:$tls/hello")"
    check "h2load http1" 2000 "$(load --h1 -n 2000 -c 8 "http://127.0.0.1:$plain/hello")"
else
    echo "skipped: no h2load"
fi
exit $bad
