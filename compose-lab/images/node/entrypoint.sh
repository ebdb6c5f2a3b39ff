#!/bin/bash
# Prepares a container (not --privileged) for systemd, then execs systemd.
#
# Environment variables, which systemd does not pass on to its services:
#   FIREDRILL_DOCKER_BIP    address of this VM's docker0, e.g. 198.19.11.1/24
#   FIREDRILL_DOCKER_POOL   pool for the VM's other Docker networks, e.g. 198.19.16.0/20
#   FIREDRILL_ENGINE=off    a VM without a Docker engine
#   FIREDRILL_STATE         mount point of the state from `firedrill lab up` (default /firedrill/state):
#                           ssh/authorized_keys and ssh/host/<hostname>/ssh_host_ed25519_key
set -euo pipefail

state=${FIREDRILL_STATE:-/firedrill/state}

# The inner engine. Its networks are in the benchmarking range 198.18.0.0/15, like the lab's own, so that they cannot collide
# with the LAN of the machine. live-restore is off: containers end with their engine, as on a node that goes down.
#
# crun is the OCI runtime: each `docker exec`, and so each health check, starts a quarter of the processes and threads that it
# starts with runc (a Go program that runs itself three times).
#
# The DNS server is the container itself, where none runs: the lab needs no outside names, and an unknown name fails at once,
# without a timeout.
mkdir -p /etc/docker
jq -n --arg bip "${FIREDRILL_DOCKER_BIP:-198.19.1.1/24}" --arg pool "${FIREDRILL_DOCKER_POOL:-198.19.240.0/20}" '{
  bip: $bip,
  "default-address-pools": [{base: $pool, size: 24}],
  dns: ["127.0.0.1"],
  "live-restore": false,
  "default-runtime": "crun",
  runtimes: {crun: {path: "/usr/bin/crun"}},
  "storage-driver": "overlay2",
  "log-driver": "journald",
  "shutdown-timeout": 10
}' >/etc/docker/daemon.json

if [ "${FIREDRILL_ENGINE:-on}" = off ]; then
  for unit in docker.service docker.socket containerd.service; do
    ln -sf /dev/null "/etc/systemd/system/$unit"
  done
fi

# Docker leaves these files if the VM loses its power. On a real machine, /var/run is empty after a boot.
rm -f /run/docker.pid /var/run/docker.sock

# ssh host key: from the lab's state if it has one (the client then knows the key), else a new one.
if [ -f "$state/ssh/host/$(hostname)/ssh_host_ed25519_key" ]; then
  install -m 0600 "$state/ssh/host/$(hostname)/ssh_host_ed25519_key" /etc/ssh/ssh_host_ed25519_key
  ssh-keygen -y -f /etc/ssh/ssh_host_ed25519_key >/etc/ssh/ssh_host_ed25519_key.pub
elif [ ! -f /etc/ssh/ssh_host_ed25519_key ]; then
  ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
fi
if [ -f "$state/ssh/authorized_keys" ]; then
  install -d -m 0700 /root/.ssh
  install -m 0600 "$state/ssh/authorized_keys" /root/.ssh/authorized_keys
fi

# In a container systemd takes PID 1's arguments as its kernel command line.
args=()
if [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; then
  # cgroup v2: one hierarchy. The runtime mounts this container's subtree (cgroup: private) read-only, but systemd and the
  # inner engine have to write to it. A bind remount changes the flag of only this mount: the superblock is shared with the
  # host.
  mount -o remount,rw,bind /sys/fs/cgroup
else
  # cgroup v1: one read-only mount per controller. Since version 256, systemd refuses these hierarchies without both arguments.
  args=(SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1 systemd.unified_cgroup_hierarchy=0)
  # Hybrid: in addition to the v1 controllers there is a v2 hierarchy, which systemd would use to track its services. After a
  # kill and a restart of the outer engine, this container's part of it was missing, and services failed with "Failed to spawn
  # executor: No such file or directory". So systemd uses the v1 hierarchy name=systemd.
  if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi
  args+=(systemd.legacy_systemd_cgroup_controller=1)
  while read -r _ target _; do
    mount -o remount,rw,bind "$target"
  done < <(awk '$2 ~ "^/sys/fs/cgroup/" && $3 ~ "^cgroup" {print $1, $2, $3}' /proc/self/mounts)
fi

exec /sbin/init "${args[@]}"
