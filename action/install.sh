#!/usr/bin/env bash
# Step of action.yml: makes firedrill ready, and prints its version. Later steps run it by action/firedrill.sh.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")

if [[ -n ${FIREDRILL_IMAGE:-} ]]; then
  docker image inspect "$FIREDRILL_IMAGE" >/dev/null 2>&1 || docker pull --quiet "$FIREDRILL_IMAGE"
elif [[ ${FIREDRILL_VERSION:-} != local ]]; then
  version=${FIREDRILL_VERSION:-}
  [[ -n $version ]] || version=$(node --print 'require(process.argv[1]).version' "$here/../package.json")
  # Only exact versions: a drill must be repeatable, and a range would install another firedrill one night.
  if [[ ! $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]]; then
    echo "::error title=firedrill::version is $version: expected an exact version such as 0.2.0, or local"
    exit 2
  fi
  # firedrill needs no install script; ssh2's would compile code that is optional.
  npm install --prefix "$RUNNER_TEMP/firedrill" --ignore-scripts --no-audit --no-fund --loglevel=error "firedrill@$version"
fi
exec bash "$here/firedrill.sh" --version
