# Two OCI images without a registry: pause, and busybox from Debian's busybox-static.

# mkoci OUT NAME ROOTFS CONFIG_JSON: an OCI archive of one layer, with the name containerd imports it by.
mkoci() {
    local out=$1 name=$2 rootfs=$3 config=$4 work diff layer size config_digest config_size digest manifest
    work=$(mktemp -d "$DEV/oci.XXXXXX")
    mkdir -p "$work/blobs/sha256"
    tar -C "$rootfs" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf "$work/layer.tar" .
    diff=$(sha256sum <"$work/layer.tar" | cut -d' ' -f1)
    gzip -n9 "$work/layer.tar"
    layer=$(sha256sum <"$work/layer.tar.gz" | cut -d' ' -f1)
    size=$(stat -c %s "$work/layer.tar.gz")
    mv "$work/layer.tar.gz" "$work/blobs/sha256/$layer"
    printf '{"architecture":"amd64","os":"linux","config":%s,"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
        "$config" "$diff" >"$work/config"
    config_digest=$(sha256sum <"$work/config" | cut -d' ' -f1)
    config_size=$(stat -c %s "$work/config")
    mv "$work/config" "$work/blobs/sha256/$config_digest"
    manifest='{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%s","size":%d},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:%s","size":%d}]}'
    # shellcheck disable=SC2059 # the format is ours
    printf "$manifest" "$config_digest" "$config_size" "$layer" "$size" >"$work/manifest"
    digest=$(sha256sum <"$work/manifest" | cut -d' ' -f1)
    size=$(stat -c %s "$work/manifest")
    mv "$work/manifest" "$work/blobs/sha256/$digest"
    printf '{"imageLayoutVersion":"1.0.0"}' >"$work/oci-layout"
    printf '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%s","size":%d,"annotations":{"io.containerd.image.name":"%s"}}]}' \
        "$digest" "$size" "$name" >"$work/index.json"
    tar -C "$work" -cf "$out" oci-layout index.json blobs
    rm -rf "$work"
}

make_images() {
    local dir=$DEV/images rootfs applet
    mkdir -p "$dir"
    if [ ! -e "$dir/pause.tar" ]; then
        rootfs=$(mktemp -d "$DEV/rootfs.XXXXXX")
        gcc -Os -static -nostdlib -ffreestanding -fno-stack-protector -fno-asynchronous-unwind-tables -s \
            -Wl,-z,noseparate-code -Wl,--build-id=none -o "$rootfs/pause" bazel/tools/pause.c
        mkoci "$dir/pause.tar" localhost/pause:latest "$rootfs" '{"Entrypoint":["/pause"]}'
        rm -rf "$rootfs"
    fi
    if [ ! -e "$dir/busybox.tar" ]; then
        rootfs=$(mktemp -d "$DEV/rootfs.XXXXXX")
        mkdir -p "$rootfs"/{bin,sbin,etc,tmp,root,var,usr/bin,usr/sbin,proc,sys,dev}
        chmod 755 "$rootfs"
        chmod 1777 "$rootfs/tmp"
        cp "$(busybox_static)" "$rootfs/bin/busybox"
        for applet in $("$rootfs/bin/busybox" --list); do
            [ "$applet" = busybox ] || ln -s busybox "$rootfs/bin/$applet"
        done
        echo 'root:x:0:0:root:/root:/bin/sh' >"$rootfs/etc/passwd"
        echo 'nobody:x:65534:65534:nobody:/:/bin/false' >>"$rootfs/etc/passwd"
        echo 'root:x:0:' >"$rootfs/etc/group"
        mkoci "$dir/busybox.tar" localhost/busybox:latest "$rootfs" \
            '{"Cmd":["sh"],"Env":["PATH=/bin:/sbin:/usr/bin:/usr/sbin"]}'
        rm -rf "$rootfs"
    fi
}
