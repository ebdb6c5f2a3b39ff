#!/bin/sh
# The entry point of the image. `docker run --user` may give a user without a name, and ssh refuses to start without one.
if ! id -un >/dev/null 2>&1; then
  echo "firedrill:x:$(id -u):$(id -g)::$HOME:/bin/sh" 2>/dev/null >>/var/lib/extrausers/passwd
fi
exec firedrill "$@"
