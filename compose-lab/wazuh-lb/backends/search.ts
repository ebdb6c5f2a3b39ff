// Stand-ins for the Wazuh indexer and dashboard.
import { createServer, type ServerResponse } from 'node:http';
import type { MakeServer } from './service.ts';

/** Time limit of the dashboard's request to the indexer. */
const indexerTimeoutMs = 1000;

const page = `<!doctype html>
<html lang="en">
  <head><meta charset="utf-8" /><title>Wazuh (lab stand-in)</title></head>
  <body><h1>Wazuh</h1><p>Stand-in for the dashboard.</p></body>
</html>
`;

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

/** The indexer, port 9200: any path returns the cluster's health. Mode failing: 503, status red. */
export function indexer(): MakeServer {
  return (mode) =>
    createServer((_request, response) => {
      if (mode() === 'silent') return;
      const well = mode() === 'up';
      sendJson(response, well ? 200 : 503, { cluster_name: 'wazuh', status: well ? 'green' : 'red' });
    });
}

/**
 * The dashboard, port 5601: a page, and `/api/status` in Wazuh's format, green while the indexer is green. `via` is the load
 * balancer of the request, from its header. Mode failing: 503, status red.
 */
export function dashboard(indexerUrl: string): MakeServer {
  return (mode) =>
    createServer((request, response) => {
      if (mode() === 'silent') return;
      if (request.url !== '/api/status') {
        response.writeHead(mode() === 'up' ? 200 : 503, { 'content-type': 'text/html; charset=utf-8' });
        response.end(page);
        return;
      }
      void (async () => {
        const well = mode() === 'up' && (await isWell(indexerUrl));
        const via = request.headers['x-forwarded-server'] ?? null;
        sendJson(response, well ? 200 : 503, {
          name: 'wazuh-dashboard',
          status: { overall: { state: well ? 'green' : 'red' } },
          via,
        });
      })();
    });
}

async function isWell(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(indexerTimeoutMs) })).ok;
  } catch {
    return false;
  }
}
