/** An example of each kind: a list entry without the dash. A test plans each of them. */
export type Examples = Readonly<Record<string, string>>;

export const faultExamples: Examples = {
  'process.kill': `kind: process.kill
on: { role: active }
container: web
process: java`,
  'container.stop': `kind: container.stop
on: node-1
container: web
graceSeconds: 3`,
  'compose.down': `kind: compose.down
on: { role: active }
projectDirectory: /opt/stack`,
  'container.kill': `kind: container.kill
on: node-1
container: web
for: 30s`,
  'container.restart': `kind: container.restart
on: { role: active }
container: web`,
  'container.pause': `kind: container.pause
on: { role: active }
container: db`,
  'container.remove': `kind: container.remove
on: node-1
container: web
projectDirectory: /opt/stack`,
  'service.stop': `kind: service.stop
on: { role: active }
units: [docker.service, docker.socket]`,
  'service.restart': `kind: service.restart
on: node-1
units: [keepalived.service]
action: reload`,
  'power.cut': `kind: power.cut
on: { role: active }`,
  'server.stop': `kind: server.stop
on: { role: active }`,
  'server.reboot': `kind: server.reboot
on: node-1
type: HARD`,
  'network.partition': `kind: network.partition
on: node-2
peers: ['\${address.node-1}']
protocols: [vrrp]
direction: in
for: 20s`,
  'network.isolate': `kind: network.isolate
on: { role: active }
allow: [10.0.0.250] # the address of firedrill's machine
lease: 1m`,
  'network.loss': `kind: network.loss
on: node-1
percent: 20
peers: ['\${address.node-2}']
for: 30s`,
  'network.delay': `kind: network.delay
on: node-1
delay: 200ms
variation: 50ms
for: 30s`,
  'network.link-down': `kind: network.link-down
on: { role: active }
interface: eth1
lease: 1m`,
  command: `kind: command
on: node-1
run: [fallocate, -l, 9G, /var/lib/db/filler]
undo: [rm, -f, /var/lib/db/filler]
effect: [test, -s, /var/lib/db/filler]
undone: [test, '!', -e, /var/lib/db/filler]`,
};

export const probeExamples: Examples = {
  http: `id: service
kind: http
url: https://www.example.com/health
connectTo: 10.0.0.100:443 # instead of the name's address
caFile: ca.pem
burst: 50ms
expect: { status: [200], body: '"ok"' }`,
  tcp: `id: port
kind: tcp
on: [node-1, node-2]
address: '\${address}:5432'`,
  'tcp-session': `id: session
kind: tcp-session
address: 10.0.0.100:6379
send: PING
expect: ^\\+PONG`,
  sql: `id: pg-role
kind: sql
on: [node-1, node-2]
dsn: postgresql://monitor@\${address}:5432/postgres
password: { env: MONITOR_PASSWORD }
query: select pg_is_in_recovery()
map: { t: standby, f: primary }`,
  dns: `id: name
kind: dns
server: 10.0.0.53
name: www.example.com
expect: ^10\\.0\\.0\\.100$`,
  icmp: `id: ping
kind: icmp
from: vantage
address: 10.0.0.100`,
  exec: `id: unit
kind: exec
on: [node-1, node-2]
interval: 2s
argv: [systemctl, is-active, nginx.service]`,
  container: `id: web
kind: container
on: [node-1, node-2]
name: web`,
  'haproxy-stats': `id: lb
kind: haproxy-stats
on: [node-1, node-2]
url: http://10.0.0.10:8404/stats;csv
backend: nodes
server: '\${host}'`,
  journal: `id: keepalived-log
kind: journal
on: [node-1, node-2]
interval: 2s
timeout: 1800ms
unit: keepalived.service
marks:
  - { name: state, match: 'Entering (?<value>MASTER|BACKUP|FAULT) STATE' }`,
  'container-log': `id: app-log
kind: container-log
on: [node-1, node-2]
interval: 2s
timeout: 1800ms
containers: [web]
marks:
  - { name: active, match: 'switched to (?<value>ACTIVE|STANDBY)' }`,
  'log-file': `id: pg-log
kind: log-file
on: [node-1, node-2]
path: /var/log/postgresql/postgresql-17-main.log
time: iso
marks:
  - { name: promoted, match: 'selected new timeline ID: (?<value>\\d+)' }`,
  'vip-claim': `id: vip-claim
kind: vip-claim
on: [node-1, node-2]
address: 10.0.0.100`,
  vrrp: `id: adverts
kind: vrrp
on: [node-1, node-2]
from: vantage
interface: eth0
virtualRouterId: 51
address: '\${address}'`,
  arp: `id: vip-arp
kind: arp
on: [node-1, node-2]
from: vantage
interface: eth0
address: 10.0.0.100
nodeAddress: '\${address}'`,
};

export const writerExamples: Examples = {
  sql: `id: rows
kind: sql
on: [node-1, node-2]
dsn: postgresql://app@\${address}:9999/app
password: { file: secrets/app-password }
copy: { dsn: 'postgresql://postgres@\${address}:5432/app' }`,
  http: `id: notes
kind: http
write: { url: 'http://10.0.0.100:8080/rows/\${rows}?row=\${row}' }
read: { url: 'http://10.0.0.100:8080/rows/\${rows}', rows: rows }
remove: { url: 'http://10.0.0.100:8080/rows/\${rows}' }`,
};

export const checkExamples: Examples = {
  rto: 'kind: rto\nmax: 60s',
  downtime: 'kind: downtime\nprobe: port@node-2\nmax: 0s\nname: the other node has no outage',
  redundancy: 'kind: redundancy\nmax: 5m',
  'no-recovery': 'kind: no-recovery',
  'heal-outage': 'kind: heal-outage\nmax: 5s',
  return: 'kind: return\nmax: 15s',
  happens:
    'kind: happens\nname: two writable primaries\ncondition: { probe: pg-role, is: primary, count: 2 }\nmin: 1s\nmax: 40s',
  'role-moved': 'kind: role-moved\nrole: active',
  'role-stays': 'kind: role-stays\nrole: active',
  finally: 'kind: finally\ncondition: { probe: pg-role, is: standby, count: 1 }',
  never: 'kind: never\ncondition: { probe: pg-role, is: primary, count: 2 }\ntolerance: 5s',
  ownership: 'kind: ownership\nof: vip\nside: claimed\nstate: none\nmax: 5s',
  rpo: 'kind: rpo\nof: rows\nmax: 0s',
  rows: 'kind: rows\nof: rows\nare: duplicated\nmax: 0',
  'stale-reads': 'kind: stale-reads\nof: rows\nmax: 2s',
  'write-outage': 'kind: write-outage\nof: rows\nmax: 30s',
  'read-outage': 'kind: read-outage\nof: rows\nclients: any\ntime: longest\nmax: 30s',
  delivered: `kind: delivered
changes: { probe: keepalived-log, marks: [state] }
deliveries: { probe: webhook, marks: [delivery] }
within: 10s`,
};

export const modelExamples: Examples = {
  keepalived: `kind: keepalived
advertInterval: 1s
priorities: { node-1: 100, node-2: 90 }
script: { interval: 2s, fall: 2, rise: 2, weight: -20 }`,
  check: 'kind: check\ninterval: 2s\nfall: 3\nrise: 2',
  retries: 'kind: retries\nattempts: 3\ninterval: 5s\ntimeout: 5s',
  timer: 'kind: timer\ninterval: 10s',
  fixed: 'kind: fixed\ntime: 3s',
  measured: "kind: measured\nsource: 'ten switchovers'\nquantiles: [0.2s, 0.3s, 0.5s]",
  sequence: 'kind: sequence\nof: [{ model: timer }, { model: retries, steps: [refused] }]',
  parallel: 'kind: parallel\nof: [{ model: check, steps: [rise] }, { model: fixed }]',
};

/** A target with the examples of its parts. */
export const exampleTarget = `name: pair
environment: staging
hosts:
  node-1: { transport: docker, container: node-1, address: 10.0.0.11, server: { cloud: staging, id: node-1 } }
  node-2: { transport: docker, container: node-2, address: 10.0.0.12, server: { cloud: staging, id: node-2 } }
  vantage: { transport: ssh, host: 10.0.0.250, address: 10.0.0.250 }
probes:
  - { id: webhook, kind: journal, on: vantage, unit: hook.service, marks: [{ name: delivery, match: 'host=(?<host>\\S+) state=(?<value>\\S+)' }] }
${listOf(Object.values(probeExamples))}writers:
${listOf(Object.values(writerExamples))}roles:
  active: { probe: vip-claim, is: 'yes' }
ownership:
  vip:
    claimed: { probe: vip-claim, is: 'yes' }
    answered: { probe: vip-arp, is: answers }
models:
${Object.entries(modelExamples)
  .map(([kind, text]) => `  ${kind}:\n${indented(text, 4)}\n`)
  .join('')}steady:
  require: [{ probe: service }]
`;

/** A scenario with one fault and one check. */
export function exampleScenario(fault: string, check: string): string {
  return `name: example
title: an example
faults:
${listOf([fault])}recovery: { probe: service, within: 2m }
checks:
${listOf([check])}`;
}

function listOf(entries: readonly string[]): string {
  return entries.map((text) => `  - ${indented(text, 4).trimStart()}\n`).join('');
}

/** Indents each line by `by` spaces. */
export function indented(text: string, by: number): string {
  return text.replaceAll(/^/gm, ' '.repeat(by));
}
