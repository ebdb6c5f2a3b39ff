# What the stacks' provision.sh share: sourced by them, inside a VM. They set `stack` and `state`, the folders mounted by
# `firedrill lab up`, and add to `changed` what they changed.
# shellcheck shell=bash
changed=()

# place MODE TARGET: standard input becomes the file TARGET. True when that changed something. The file is replaced
# in one rename, so that nobody reads half of it.
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

# commands FOLDER NAME...: files of the stack's folder become commands.
commands() {
  local folder=$1 name
  shift
  for name in "$@"; do
    if place 0755 "/usr/local/bin/$name" <"${stack:?}/$folder/$name"; then changed+=("$name"); fi
  done
}

# units FOLDER NAME...: files of the stack's folder become systemd units.
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

# Enabling costs a second of fsyncs even where there is nothing to do.
enable() { systemctl is-enabled --quiet "$1" || systemctl enable --quiet "$1"; }

# Starts the VM's engine, which a drill may have stopped, and its socket with it.
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

# What was changed, in words.
summary() {
  local IFS=,
  if [ ${#changed[@]} -gt 0 ]; then echo "changed: ${changed[*]}"; else echo 'nothing to change'; fi
}
