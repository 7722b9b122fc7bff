# ./dev deps: Debian 12 packages, each installed only when what it gives is missing.

# what it gives (a command, or a file), and the package
DEPS='
gcc gcc
g++ g++
/usr/include/stdio.h libc6-dev
git git
curl curl
bazel bazel-bootstrap
/usr/share/bazel/rules/java bazel-rules-java
/usr/share/bazel/rules/proto bazel-rules-proto
protoc protobuf-compiler
protoc-c protobuf-c-compiler
/usr/include/raft.h libraft-dev
/usr/include/uv.h libuv1-dev
/usr/include/lmdb.h liblmdb-dev
/usr/include/protobuf-c/protobuf-c.h libprotobuf-c-dev
/usr/include/nghttp2/nghttp2.h libnghttp2-dev
/usr/include/cmocka.h libcmocka-dev
/usr/include/openssl/ssl.h libssl-dev
/usr/bin/openssl openssl
/usr/include/yaml.h libyaml-dev
/usr/include/zlib.h zlib1g-dev
clang-14 clang-14
clang-format-14 clang-format-14
/usr/lib/llvm-14/lib/clang/14.0.6/lib/linux/libclang_rt.fuzzer-x86_64.a libclang-rt-14-dev
containerd containerd
runc runc
crun crun
/usr/lib/cni/bridge containernetworking-plugins
iptables iptables
nft nftables
ip iproute2
losetup mount
mkfs.ext4 e2fsprogs
ps procps
python3 python3
/usr/lib/python3/dist-packages/grpc python3-grpcio
/usr/lib/python3/dist-packages/kubernetes python3-kubernetes
etcd etcd-server
etcdctl etcd-client
h2load nghttp2-client
debootstrap debootstrap
'

apt_quiet() {
    DEBIAN_FRONTEND=noninteractive apt-get -o Dpkg::Use-Pty=0 -qq "$@"
}

# A package's files under .dev/, for what conflicts with something installed.
unpack_beside() {
    mkdir -p "$DEV/packages" && (cd "$DEV/packages" && apt_quiet download "$1" && dpkg-deb -x "$1"_*.deb .)
}

have() {
    case $1 in
    /*) [ -e "$1" ] ;;
    *) command -v "$1" >/dev/null ;;
    esac
}

busybox_static() {
    local path
    for path in "$DEV/packages/bin/busybox" /bin/busybox; do
        [ -x "$path" ] && ! ldd "$path" >/dev/null 2>&1 && echo "$path" && return
    done
    return 1
}

install_missing() {
    local missing='' what package made_policy=''
    while read -r what package; do
        [ -z "$what" ] || have "$what" || missing+=" $package"
    done <<<"$DEPS"
    command -v kubectl >/dev/null || missing+=' kubernetes-client'
    if [ -n "$missing" ]; then
        [ "$(id -u)" = 0 ] || die "missing packages:$missing; run ./dev deps as root"
        # Packages must not start services: the cluster runs its own containerd and etcd.
        if [ ! -e /usr/sbin/policy-rc.d ]; then
            printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
            chmod +x /usr/sbin/policy-rc.d
            made_policy=1
        fi
        apt_quiet update
        # shellcheck disable=SC2086 # one word a package
        apt_quiet install -y --no-install-recommends $missing || { [ -n "$made_policy" ] && rm -f /usr/sbin/policy-rc.d; return 1; }
        [ -z "$made_policy" ] || rm -f /usr/sbin/policy-rc.d
    fi
    if ! busybox_static >/dev/null; then
        apt_quiet update
        if [ -e /bin/busybox ]; then unpack_beside busybox-static; else apt_quiet install -y --no-install-recommends busybox-static; fi
    fi
    busybox_static >/dev/null || die 'no static busybox: busybox-static could not be installed'
}

# Debian's kubectl, 1.20: the oldest that is tested. Beside another that is installed it lies where tests look for it.
debian_kubectl() {
    local found
    found=$(readlink -f "$(command -v kubectl)")
    dpkg -S "$found" 2>/dev/null | grep -q '^kubernetes-client:' && return
    [ -x "$DEV/packages/usr/bin/kubectl" ] && return
    apt_quiet update && unpack_beside kubernetes-client || echo 'no kubernetes-client: tests go without kubectl 1.20'
}

# What interop tests need of npm, as tests/interop/package-lock.json pins it. A test skips what is not there.
npm_packages() {
    local folder=$DEV/npm
    cmp -s tests/interop/package-lock.json "$folder/node_modules/pinned.json" && return
    command -v npm >/dev/null || { echo 'no npm here' && return; }
    rm -rf "$folder"
    mkdir -p "$folder"
    cp tests/interop/package.json tests/interop/package-lock.json "$folder/"
    if (cd "$folder" && npm ci --omit=optional --ignore-scripts --no-audit --no-fund); then
        cp tests/interop/package-lock.json "$folder/node_modules/pinned.json"
    else
        echo 'npm installed nothing: tests of @kubernetes/client-node will skip'
    fi
}

# client-go's test program, where there is a Go that can build it. With nothing in Go's own cache that takes minutes:
# only `./dev test` does it.
go_programs() {
    local minor
    minor=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null | sed -n 's/^go1\.\([0-9]*\).*/\1/p') || true
    [ "${minor:-0}" -ge 25 ] || { echo 'no Go of 1.25 or newer here' && return; }
    rm -f "$DEV/go/clients_go"
    cd tests/interop/clients_go
    GOTOOLCHAIN=local go mod download || { echo 'client-go cannot be had: its test will skip' && return; }
    GOTOOLCHAIN=local go build -buildvcs=false -o "$DEV/go/clients_go" .
}

dev_deps() {
    step 'Debian packages' install_missing
}

# With what only tests use.
dev_test_deps() {
    dev_deps
    step "Debian's kubectl" debian_kubectl
    step 'npm packages' npm_packages
}
