#!/bin/bash
# Makes an ordinary (not --privileged) container ready for systemd, then becomes systemd.
#
# Read from the environment, because systemd does not hand PID 1's environment on to its services:
#   FIREDRILL_DOCKER_BIP    address of this VM's docker0, e.g. 198.19.11.1/24
#   FIREDRILL_DOCKER_POOL   pool for the VM's other Docker networks, e.g. 198.19.16.0/20
#   FIREDRILL_ENGINE=off    a VM without a Docker engine
#   FIREDRILL_STATE         where `firedrill lab up` mounts what it made (default /firedrill/state):
#                           ssh/authorized_keys and ssh/host/<hostname>/ssh_host_ed25519_key
set -euo pipefail

state=${FIREDRILL_STATE:-/firedrill/state}

# The inner engine. Its networks stay inside the benchmarking range 198.18.0.0/15 like the lab's own, so that nothing
# in here can collide with the LAN of the machine it runs on. live-restore stays off: containers end with their
# engine, as they do on a node that goes down.
#
# crun is the OCI runtime: each `docker exec`, and so each health check, starts a quarter of the processes and threads that
# runc (a Go program that runs itself three times) starts.
#
# The DNS server is the asking container itself, where nobody answers: the lab asks nothing of the world outside, and a
# name that does not exist fails at once instead of after a time-out.
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

# Docker left these behind if the VM lost its power; a booting machine has an empty /var/run.
rm -f /run/docker.pid /var/run/docker.sock

# ssh identity: from the lab's state when there is one (so that the client knows the key beforehand), else our own.
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
  # cgroup v2: one hierarchy. The runtime mounted this container's own subtree (cgroup: private) read-only; systemd,
  # and the inner engine through it, have to write there. Bind remount: only this mount's flag is changed, the
  # superblock is shared with the host.
  mount -o remount,rw,bind /sys/fs/cgroup
else
  # cgroup v1: one mount per controller, each read-only. Since version 256 systemd refuses these hierarchies unless told
  # twice.
  args=(SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1 systemd.unified_cgroup_hierarchy=0)
  # Hybrid: beside the v1 controllers there is a v2 hierarchy that systemd would track its services in. After the engine
  # below the VMs had been killed and started again, this container's part of it was seen to be gone and services failed
  # with "Failed to spawn executor: No such file or directory". The v1 hierarchy name=systemd serves as well.
  if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi
  args+=(systemd.legacy_systemd_cgroup_controller=1)
  while read -r _ target _; do
    mount -o remount,rw,bind "$target"
  done < <(awk '$2 ~ "^/sys/fs/cgroup/" && $3 ~ "^cgroup" {print $1, $2, $3}' /proc/self/mounts)
fi

exec /sbin/init "${args[@]}"
