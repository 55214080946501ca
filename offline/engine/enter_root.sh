#!/bin/sh
# Becomes a dockerd whose root is STATE/root. Runs in mount and network namespaces of its own (see engine.py), so all that
# is mounted here goes with the last process.
#
#   enter_root.sh STATE PROJECT CONTROL-GROUP FLAG…      flags of dockerd
#
# pivot_root, not chroot: the engine's children enter the mount namespace anew for every `docker exec` and health check,
# and would find themselves in the host's root.
set -eu
state=$1 project=$2 group=$3
shift 3

mount --make-rprivate /
mount --bind "$state/root" "$state/mount"
cd "$state/mount"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount --rbind /sys/fs/cgroup sys/fs/cgroup
mount --rbind /dev dev
mount -t tmpfs tmpfs run
mkdir -p run/slipway var/lib/docker ".$project" old-root
mount --bind "$state/data" var/lib/docker
mount --bind "$state/socket" run/slipway
if [ -d /lib/modules ]; then
    mkdir -p lib/modules
    mount --bind /lib/modules lib/modules
fi
# Bind mounts name paths in this root: what tests mount lies below one of these two.
mount --bind /tmp tmp
mount --bind "$project" ".$project"

pivot_root . old-root
umount -l /old-root
cd /
exec dockerd --host unix:///run/slipway/docker.sock --group root \
    --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/$group" "$@"
