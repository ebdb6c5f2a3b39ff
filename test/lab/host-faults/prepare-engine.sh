#!/bin/bash
# Prepares the machine with a Docker engine. Its image has only the machine's own socat. The Compose project in /opt/app has
# another name than its folder: `holder` echoes on 198.19.250.2:8003, `guest` on port 8004 in the same network namespace, and
# `spare` is in a profile and partly in a second file. Tests take the project in /opt/whole down.
set -euo pipefail
until systemctl is-system-running | grep -Eq 'running|degraded'; do sleep 0.2; done

mapfile -t libraries < <(ldd /usr/bin/socat | grep -o '/[^ ]*')
tar --create --dereference --directory / usr/bin/socat "${libraries[@]#/}" |
  docker import --change 'ENTRYPOINT ["/usr/bin/socat"]' - firedrill-test/socat:1 >/dev/null

mkdir -p /opt/app
cat >/opt/app/compose.yaml <<'EOF'
x-echo: &echo
  image: firedrill-test/socat:1
  pull_policy: never
services:
  holder:
    <<: *echo
    container_name: holder
    command: ['TCP-LISTEN:8003,fork,reuseaddr', PIPE]
    networks: { default: { ipv4_address: 198.19.250.2 } }
  guest:
    <<: *echo
    container_name: guest
    command: ['TCP-LISTEN:8004,fork,reuseaddr', PIPE]
    network_mode: 'service:holder'
  spare:
    <<: *echo
    container_name: spare
    command: ['TCP-LISTEN:8005,fork,reuseaddr', PIPE]
    profiles: [spare]
    # Without a fixed address, `spare` could get the address of `holder` if it starts first.
    networks: { default: { ipv4_address: 198.19.250.3 } }
networks:
  default: { ipam: { config: [{ subnet: 198.19.250.0/24 }] } }
EOF
cat >/opt/app/more.yaml <<'EOF'
services:
  spare: { environment: { FROM: more } }
EOF
docker compose --project-directory /opt/app --project-name renamed --file /opt/app/compose.yaml --file /opt/app/more.yaml \
  --profile spare up --detach

mkdir -p /opt/whole
cat >/opt/whole/compose.yaml <<'EOF'
x-echo: &echo
  image: firedrill-test/socat:1
  pull_policy: never
services:
  one: { <<: *echo, command: ['TCP-LISTEN:8006,fork,reuseaddr', PIPE] }
  other: { <<: *echo, command: ['TCP-LISTEN:8007,fork,reuseaddr', PIPE] }
networks:
  default: { ipam: { config: [{ subnet: 198.19.251.0/24 }] } }
EOF
docker compose --project-directory /opt/whole up --detach
