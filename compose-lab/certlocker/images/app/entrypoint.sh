#!/bin/bash
# Runs one stand-in: `entrypoint.sh Router|Gateway|DataService|Edge|Bastion`.
# tini is PID 1 (see the Dockerfile): `pkill -9 java` inside a container can only end a process that is not PID 1.
set -euo pipefail
: "${CERTLOCKER_JAVA_OPTS:=-Xms16m -Xmx48m -Xss512k -XX:MaxMetaspaceSize=48m -XX:ReservedCodeCacheSize=24m}"
# Without `nodelay`, the JDK's HTTP server delays small answers by 40 ms. The other options keep ten JVMs small on two cores.
# shellcheck disable=SC2086 # the options are meant to be split into words
exec java $CERTLOCKER_JAVA_OPTS -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto -XX:-UsePerfData \
  -Dsun.net.httpserver.nodelay=true -Dorg.slf4j.simpleLogger.defaultLogLevel=off \
  -cp '/opt/certlocker/classes:/opt/certlocker/lib/*' \
  "$@"
