#!/bin/bash
# Starts the services, creates the objects for the contract suite, and writes /run/contract.json when its servers are ACTIVE.
# From the environment: CONTRACT_PASSWORD (of the user `drill`) and CONTRACT_SECRET (of its application credential).
set -euo pipefail
identity=http://127.0.0.1:15000/v3
compute=http://127.0.0.1:18774/v2.1

log() { printf '%s %s\n' "$(date -u +%T)" "$*"; }
# until_true SECONDS COMMAND...
until_true() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < end)) || { log "gave up waiting for: $*"; return 1; }
    sleep 0.5
  done
}
# wsgi USER PORT CONFIG-OPTION...: one API under uwsgi. HTTP/1.1 with keep-alive is not needed.
wsgi() {
  local user=$1 port=$2
  shift 2
  uwsgi_python3 --master --die-on-term --uid "$user" --gid "$user" --processes 1 --threads 4 --enable-threads \
    --thunder-lock --lazy-apps --need-app --buffer-size 65535 --disable-logging \
    --http-socket "0.0.0.0:$port" "$@" >"/var/log/$user-wsgi.log" 2>&1 &
}

log 'database and message queue'
install -d -o mysql -g mysql /run/mysqld
install -d -o nova -g nova /var/lib/nova/tmp
mariadbd-safe --skip-syslog >/dev/null 2>&1 &
rabbitmq-server >/var/log/rabbitmq.log 2>&1 &
python3 /opt/firedrill/stubs.py &
until_true 60 mariadb-admin --silent ping

log 'keystone'
wsgi keystone 15000 --wsgi-file /usr/bin/keystone-wsgi-public
until_true 60 curl -fs "$identity"

log 'placement and nova'
wsgi placement 18778 --module placement.wsgi.api:application
until_true 90 rabbitmqctl await_startup
runuser -u nova -- nova-conductor >/var/log/nova-conductor.log 2>&1 &
runuser -u nova -- nova-scheduler >/var/log/nova-scheduler.log 2>&1 &
wsgi nova 18774 --module nova.wsgi.osapi_compute:application

# api METHOD URL [BODY]: sends a request as the owner of `token`, and prints the answer.
api() {
  local answer
  answer=$(curl -sS --fail-with-body -X "$1" -H "X-Auth-Token: $token" -H 'OpenStack-API-Version: compute 2.37' \
    -H 'Content-Type: application/json' ${3:+--data "$3"} "$2") || { log "$1 $2: $answer" >&2; return 1; }
  printf '%s\n' "$answer"
}
# login USER PASSWORD PROJECT
login() {
  curl -sS --fail-with-body -D - -o /dev/null -H 'Content-Type: application/json' "$identity/auth/tokens" --data "$(
    jq -n --arg user "$1" --arg password "$2" --arg project "$3" '{auth: {
      identity: {methods: ["password"], password: {user: {name: $user, domain: {id: "default"}, password: $password}}},
      scope: {project: {name: $project, domain: {id: "default"}}}}}'
  )" | sed -n 's/^X-Subject-Token: \([^\r]*\).*/\1/Ip'
}
endpoints() {
  local id interface
  id=$(api POST "$identity/services" "{\"service\": {\"type\": \"$1\", \"name\": \"$2\"}}" | jq -r .service.id)
  for interface in public internal; do
    api POST "$identity/endpoints" "$(jq -n --arg id "$id" --arg interface "$interface" --arg url "$3" \
      '{endpoint: {service_id: $id, interface: $interface, region_id: "RegionOne", url: $url}}')" >/dev/null
  done
}

token=$(login admin admin admin)
endpoints placement placement http://127.0.0.1:18778
endpoints compute nova "$compute"
endpoints image glance http://127.0.0.1:9292
endpoints network neutron http://127.0.0.1:9292

log 'project, user, application credential'
project=$(api POST "$identity/projects" '{"project": {"name": "drill", "domain_id": "default"}}' | jq -r .project.id)
user=$(api POST "$identity/users" "$(jq -n --arg password "$CONTRACT_PASSWORD" \
  '{user: {name: "drill", domain_id: "default", password: $password}}')" | jq -r .user.id)
for name in member reader; do
  role=$(api GET "$identity/roles?name=$name" | jq -r '.roles[0].id')
  api PUT "$identity/projects/$project/users/$user/roles/$role" >/dev/null
done

runuser -u nova -- nova-compute >/var/log/nova-compute.log 2>&1 &
until_true 60 curl -fs "$compute/"
# Nova can schedule only after nova-compute has reported its resources to Placement.
has_room() {
  curl -fs -H "X-Auth-Token: $token" -H 'OpenStack-API-Version: placement 1.4' \
    'http://127.0.0.1:18778/resource_providers?resources=VCPU:1' | jq -e '.resource_providers | length > 0'
}
until_true 90 has_room
nova-manage cell_v2 discover_hosts
api POST "$compute/flavors" '{"flavor": {"name": "tiny", "id": "1", "ram": 64, "vcpus": 1, "disk": 1}}' >/dev/null

token=$(login drill "$CONTRACT_PASSWORD" drill)
credential=$(api POST "$identity/users/$user/application_credentials" "$(jq -n --arg secret "$CONTRACT_SECRET" \
  '{application_credential: {name: "contract", secret: $secret}}')" | jq -r .application_credential.id)
log 'servers'
for name in $CONTRACT_SERVERS; do
  api POST "$compute/servers" "$(jq -n --arg name "$name" \
    '{server: {name: $name, imageRef: "6f70656e-7374-4163-8b00-000000000001", flavorRef: "1", networks: "none"}}')" >/dev/null
done
all_active() {
  api GET "$compute/servers/detail" | jq -e --argjson want "$(wc -w <<<"$CONTRACT_SERVERS")" \
    '[.servers[] | select(.status == "ACTIVE")] | length == $want'
}
until_true 90 all_active || { api GET "$compute/servers/detail" | jq -c '.servers[] | {name, status, fault}'; exit 1; }
jq -n --arg user "$user" --arg project "$project" --arg credential "$credential" \
  '{user: $user, project: $project, credential: $credential}' >/run/contract.json
log ready
wait -n
log 'a service has ended'
exit 1
