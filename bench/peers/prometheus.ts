import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { windowsOfSamples, type Sample } from '../reported.ts';
import { monoMs, pause } from '../mono.ts';
import { startChild } from './child.ts';
import { withTotal, type Peer } from './peer.ts';
import { freePort } from '../free-port.ts';

/** Prometheus with blackbox_exporter, scraping every second. */
export const prometheus: Peer = {
  name: 'Prometheus + blackbox_exporter',
  reading: 'scraped every 1 s, module `http_2xx`; `probe_success`, first 0 to first 1',
  sees: 'http',
  needs: ['prometheus', 'prometheus-blackbox-exporter'],
  start: async (targets, { program, env }, { folder }) => {
    const [ownPort, exporterPort] = [await freePort(), await freePort()];
    mkdirSync(folder, { recursive: true });
    const modules = join(folder, 'blackbox.yml');
    writeFileSync(modules, 'modules:\n  http_2xx:\n    prober: http\n');
    const config = join(folder, 'prometheus.yml');
    writeFileSync(
      config,
      configFor(
        targets.map((target) => target.url),
        exporterPort,
      ),
    );
    const exporter = startChild(
      [
        program('prometheus-blackbox-exporter') ?? '',
        `--config.file=${modules}`,
        `--web.listen-address=127.0.0.1:${exporterPort}`,
      ],
      env,
    );
    const server = startChild(
      [
        program('prometheus') ?? '',
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${ownPort}`,
      ],
      env,
    );
    await ready(`http://127.0.0.1:${ownPort}/-/ready`);
    return {
      async stop() {
        const query = new URLSearchParams({ query: 'probe_success[1h]' });
        const reply = await fetch(`http://127.0.0.1:${ownPort}/api/v1/query?${query.toString()}`);
        const samples = samplesOfPrometheus(await reply.text(), monoMs() - Date.now());
        await Promise.all([server.stop(), exporter.stop()]);
        return targets.map(({ url }) => withTotal(windowsOfSamples(samples.get(url) ?? [])));
      },
    };
  },
};

function configFor(urls: readonly string[], exporterPort: number): string {
  // JSON is YAML.
  return JSON.stringify({
    global: { scrape_interval: '1s', scrape_timeout: '1s' },
    scrape_configs: [
      {
        job_name: 'blackbox',
        metrics_path: '/probe',
        params: { module: ['http_2xx'] },
        static_configs: [{ targets: urls }],
        relabel_configs: [
          { source_labels: ['__address__'], target_label: '__param_target' },
          { source_labels: ['__param_target'], target_label: 'instance' },
          { target_label: '__address__', replacement: `127.0.0.1:${exporterPort}` },
        ],
      },
    ],
  });
}

/**
 * Samples by target, from the reply to a query for `probe_success[...]`.
 * @param wallToMonoMs offset from wall time to `monoMs`, ms
 */
export function samplesOfPrometheus(
  json: string,
  wallToMonoMs: number,
): ReadonlyMap<string, readonly Sample[]> {
  const reply = JSON.parse(json) as {
    readonly data: {
      readonly result: readonly {
        readonly metric: { readonly instance: string };
        readonly values: readonly (readonly [number, string])[];
      }[];
    };
  };
  return new Map(
    reply.data.result.map(({ metric, values }) => [
      metric.instance,
      values.map(([seconds, value]) => ({ atMs: seconds * 1000 + wallToMonoMs, ok: value === '1' })),
    ]),
  );
}

async function ready(url: string): Promise<void> {
  const deadlineMs = monoMs() + 30_000;
  while (monoMs() < deadlineMs) {
    try {
      if ((await fetch(url)).ok) return;
    } catch {
      // Prometheus does not listen yet.
    }
    await pause(200);
  }
  throw new Error('Prometheus did not become ready within 30 s');
}
