#!/bin/sh
# The entry point of the image. `docker run --user` may give a user without a name, and ssh refuses to start without one.
if ! id -un >/dev/null 2>&1; then
  echo "firedrill:x:$(id -u):$(id -g)::$HOME:/bin/sh" 2>/dev/null >>/var/lib/extrausers/passwd
fi
# Hints name the command as the user calls it. In a shell of the image, where this script does not run, that is `firedrill`.
export FIREDRILL_COMMAND_NAME="${FIREDRILL_COMMAND_NAME:-docker run … firedrill}"
exec firedrill "$@"
