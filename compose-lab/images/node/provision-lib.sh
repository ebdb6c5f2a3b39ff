# Functions for the stacks' provision.sh, which source this file in a VM. They set `stack` and `state` to the folders that
# `firedrill lab up` mounts, and append their changes to `changed`.
# shellcheck shell=bash
changed=()

# place MODE TARGET: writes standard input to the file TARGET. True if the file changed. One rename replaces the file, so that
# no program reads a partial file.
place() {
  local mode=$1 target=$2
  install -d -m 0755 "$(dirname "$target")"
  umask 077
  cat >"$target.new"
  chmod "$mode" "$target.new"
  if cmp -s "$target.new" "$target" && [ "$(stat -c %a "$target")" = "$(stat -c %a "$target.new")" ]; then
    rm "$target.new"
    return 1
  fi
  mv "$target.new" "$target"
}

# commands FOLDER NAME...: installs files of the stack's folder as commands.
commands() {
  local folder=$1 name
  shift
  for name in "$@"; do
    if place 0755 "/usr/local/bin/$name" <"${stack:?}/$folder/$name"; then changed+=("$name"); fi
  done
}

# units FOLDER NAME...: installs files of the stack's folder as systemd units.
units() {
  local folder=$1 name new=no
  shift
  for name in "$@"; do
    if place 0644 "/etc/systemd/system/$name" <"${stack:?}/$folder/$name"; then
      new=yes
      changed+=("$name")
    fi
  done
  if [ $new = yes ]; then systemctl daemon-reload; fi
}

# `systemctl enable` takes 1 s of fsyncs even without a change.
enable() { systemctl is-enabled --quiet "$1" || systemctl enable --quiet "$1"; }

# Starts the VM's engine and its socket, which a drill may have stopped.
start_engine() { systemctl start docker.socket docker.service; }

# Loads the stack's images into the VM's engine.
load_images() {
  local tag id missing=no
  while read -r tag id; do
    [ "$(docker image inspect --format '{{.Id}}' "$tag" 2>/dev/null)" = "$id" ] || missing=yes
  done <"${state:?}/images.txt"
  if [ "$missing" = yes ]; then
    docker load --quiet --input "$state/images.tar" >/dev/null
    changed+=('images loaded')
  fi
}

# Prints the changes.
summary() {
  local IFS=,
  if [ ${#changed[@]} -gt 0 ]; then echo "changed: ${changed[*]}"; else echo 'nothing to change'; fi
}
