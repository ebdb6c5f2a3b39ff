#!/usr/bin/env bash
# Runs firedrill with the given arguments: from the container image, from the package that action/install.sh installed, or from
# the repository's own node_modules. `exec` lets firedrill itself get the runner's signals.
set -euo pipefail

if [[ -z ${FIREDRILL_IMAGE:-} ]]; then
  installed=$RUNNER_TEMP/firedrill/node_modules/.bin/firedrill
  # An earlier step of the job may have installed a version, and this one may use the repository's own.
  [[ ${FIREDRILL_VERSION:-} == local || ! -x $installed ]] || exec "$installed" "$@"
  [[ ! -x node_modules/.bin/firedrill ]] || exec node_modules/.bin/firedrill "$@"
  # In firedrill's own checkout (`uses: ./`).
  own=$(dirname "${BASH_SOURCE[0]}")/..
  [[ ! -d $own/node_modules ]] || exec node "$own/bin/firedrill.mjs" "$@"
  echo "::error title=firedrill::firedrill is not installed in $PWD/node_modules: run npm ci in an earlier step, or set version"
  exit 2
fi

# As on the runner itself: its network, user, SSH keys, and undo records.
state=${XDG_STATE_HOME:-$HOME/.local/state}
mkdir -p "$state"
options=(--rm --network host --user "$(id -u):$(id -g)" --stop-timeout 300
  --volume "$PWD:/drills" --volume "$state:/state" --env CI --env GITHUB_ACTIONS)
for variable in GITHUB_OUTPUT GITHUB_STEP_SUMMARY; do
  file=${!variable:-}
  [[ -z $file ]] || options+=(--volume "$file:$file" --env "$variable")
done
[[ ! -d $HOME/.ssh ]] || options+=(--volume "$HOME/.ssh:/home/firedrill/.ssh:ro")
[[ -z ${SSH_AUTH_SOCK:-} ]] || options+=(--volume "$SSH_AUTH_SOCK:/tmp/ssh-agent" --env SSH_AUTH_SOCK=/tmp/ssh-agent)
if [[ ${FIREDRILL_DOCKER_SOCKET:-false} == true ]]; then
  socket=/var/run/docker.sock
  options+=(--volume "$socket:$socket" --group-add "$(stat --format %g "$socket")")
fi
# Words as a shell would split them, without expansion.
mapfile -t more < <(xargs --no-run-if-empty printf '%s\n' <<<"${FIREDRILL_IMAGE_OPTIONS:-}")
wait "$!" || {
  echo "::error title=firedrill::image-options has a quote without its other one: expected words as in a shell, and no word over two lines"
  exit 2
}
exec docker run "${options[@]}" "${more[@]}" "$FIREDRILL_IMAGE" "$@"
