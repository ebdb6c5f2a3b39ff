// The services behind the load balancers of the lab `wazuh-lb`, in one process: stand-ins for two Wazuh managers, the indexer,
// and the dashboard. They implement the parts of each protocol that a load balancer and a probe can distinguish, and have their
// state in memory.
//
//   node main.ts
//
//   agents     1514, 2514   sessions of agents with the master and with a worker   manager.ts
//   enrolment  1515         enrollment of agents at the master, TLS                manager.ts
//   api        55000        API of the master, HTTPS                               manager.ts
//   indexer    9200         cluster health                                         search.ts
//   dashboard  5601         a page, and a status that depends on the indexer       search.ts
//
// Each is in one of four modes (service.ts): up, refusing, silent, failing. The first mode is up. To change a mode:
//
//   docker exec firedrill-wazuh-lb-backends /firedrill/node /firedrill/stack/backends/set-mode.ts dashboard failing
//
// Environment variables: WAZUH_LB_CERTIFICATE and WAZUH_LB_KEY, PEM files for enrollment and API.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { agentSessions, enrolment, managersApi } from './manager.ts';
import { dashboard, indexer } from './search.ts';
import { isMode, modes, Service } from './service.ts';
import { controlPort } from './control.ts';

function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`${name} is not set`);
  return value;
}

const log = (line: string): void => {
  process.stdout.write(`${new Date().toISOString()} ${line}\n`);
};

const tls = {
  cert: readFileSync(variable('WAZUH_LB_CERTIFICATE')),
  key: readFileSync(variable('WAZUH_LB_KEY')),
};
const services = [
  new Service('agents', [1514, 2514], agentSessions({ 1514: 'master', 2514: 'worker' })),
  new Service('enrolment', [1515], enrolment(tls)),
  new Service('api', [55000], managersApi(tls)),
  new Service('indexer', [9200], indexer()),
  new Service('dashboard', [5601], dashboard('http://127.0.0.1:9200/_cluster/health')),
];
await Promise.all(services.map((service) => service.setMode('up')));
log(`listening: ${services.map((service) => `${service.name} ${service.ports.join(',')}`).join('; ')}`);

// On loopback, so that a mode can be changed only from inside the container.
const control = createServer((request, response) => {
  void (async () => {
    const [, name, mode = ''] = (request.url ?? '').split('/');
    const service = services.find((candidate) => candidate.name === name);
    if (service === undefined || !isMode(mode)) {
      response
        .writeHead(404)
        .end(`/SERVICE/MODE: ${services.map((s) => s.name).join(', ')}; ${modes.join(', ')}\n`);
      return;
    }
    await service.setMode(mode);
    log(`${service.name} is ${mode}`);
    response.end(`${service.name} is ${mode}\n`);
  })();
});
control.listen(controlPort, '127.0.0.1');
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(0));
