# ./dev test fresh: a debootstrap of Debian 12, this tree as committed, ./dev deps and the build, nothing else typed.

# The mirror this machine uses, from whichever of apt's two formats it has; comments do not count.
fresh_mirror() {
    local mirror
    mirror=$({
        sed -n 's/^URIs: *\([^ ]*\).*/\1/p' /etc/apt/sources.list.d/*.sources
        sed -n 's/^deb \(\[[^]]*\] *\)\{0,1\}\([^ ]*\).*/\2/p' /etc/apt/sources.list /etc/apt/sources.list.d/*.list
    } 2>/dev/null | grep -v security | head -n 1)
    [ -n "$mirror" ] || die 'apt has no mirror here: give it one in /etc/apt/sources.list'
    echo "$mirror"
}

fresh_bootstrap() {
    local root=$1 file
    debootstrap --variant=minbase bookworm "$root" "$(fresh_mirror)"
    # The same sources, proxies and certificates as this machine, or apt inside would reach nothing.
    cp -a /etc/apt/sources.list* /etc/apt/apt.conf.d /etc/apt/auth.conf.d "$root/etc/apt/" 2>/dev/null || true
    for file in /etc/resolv.conf /etc/hosts; do cp -L "$file" "$root$file" 2>/dev/null || true; done
    [ ! -d /etc/ssl/certs ] || { mkdir -p "$root/etc/ssl" && cp -aL /etc/ssl/certs "$root/etc/ssl/"; }
    mkdir -p "$root/src"
    git archive HEAD | tar -x -C "$root/src"
}

in_fresh() { chroot "$FRESH" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "$@"; }

fresh_mounts() {
    mount -t proc proc "$FRESH/proc"
    mount --rbind /dev "$FRESH/dev" && mount --make-rslave "$FRESH/dev"
}

fresh_clean() {
    umount -R -l "$FRESH/dev" "$FRESH/proc" 2>/dev/null || true
    rm -rf --one-file-system "$FRESH"
}

dev_fresh() {
    [ "$(id -u)" = 0 ] || die 'fresh makes a chroot: run it as root'
    command -v debootstrap >/dev/null || { . bazel/dev/deps.sh && dev_deps; }
    FRESH=$DEV/fresh
    fresh_clean
    trap fresh_clean EXIT
    step 'Debian 12 by debootstrap' fresh_bootstrap "$FRESH"
    step 'its proc and dev' fresh_mounts
    step './dev deps in it' in_fresh sh -c 'cd /src && ./dev deps'
    step 'the build in it' in_fresh sh -c 'cd /src && bazel build --spawn_strategy=standalone //...'
    echo 'fresh: ok'
}
