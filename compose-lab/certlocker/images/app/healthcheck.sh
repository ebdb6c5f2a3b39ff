#!/bin/bash
# Docker's health check: `healthcheck.sh PORT [PATH]`, healthy on 200. bash's own sockets, because a curl or a JVM every
# few seconds for each container of two nodes is what two cores do not have.
set -euo pipefail
exec 3<>"/dev/tcp/127.0.0.1/$1"
printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "${2:-/health}" >&3
read -r -t 2 _ status _ <&3
[[ $status == 200 ]]
