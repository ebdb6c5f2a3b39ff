import { Buffer } from 'node:buffer';
import type { Summary } from '../core/summary.ts';
import { labelValue, renderMetrics } from '../report/openmetrics.ts';
import { below, endpoint, needed, setting } from './lib/endpoint.ts';
import { outbox } from './lib/outbox.ts';
import type { ReporterKind } from './reporter.ts';

const urlName = 'FIREDRILL_PUSHGATEWAY_URL';
const jobName = 'FIREDRILL_PUSHGATEWAY_JOB';
const userName = 'FIREDRILL_PUSHGATEWAY_USER';
const passwordName = 'FIREDRILL_PUSHGATEWAY_PASSWORD';

/** Pushes each drill's metrics to a Pushgateway, which keeps them until the scenario's next drill on that target. */
export const pushgateway: ReporterKind = {
  name: 'pushgateway',
  describe: `metrics of each drill to the Pushgateway at URL or ${urlName}; optional: ${jobName}, ${userName}, ${passwordName}`,
  value: 'url',
  create(value, { env, secret, signal }) {
    const text = value ?? needed(env, urlName, 'the Pushgateway’s URL');
    const user = setting(env, userName);
    const password = setting(env, passwordName);
    const basic = Buffer.from(`${user ?? ''}:${password ?? ''}`).toString('base64');
    if (password !== undefined) for (const form of [password, basic]) secret(form);
    const base = endpoint(text, {
      name: value === undefined ? urlName : '--reporter pushgateway',
      credential: password !== undefined,
      env,
    });
    const job = setting(env, jobName) ?? 'firedrill';
    const authorization =
      user === undefined && password === undefined ? {} : { authorization: `Basic ${basic}` };
    return outbox(
      ({ summary }) => [
        {
          call: () => ({
            // PUT replaces the last drill's metrics: an old value must not stay if this drill did not measure it.
            method: 'PUT',
            url: below(base, groupPath(job, summary)).href,
            headers: { 'content-type': 'text/plain; version=0.0.4', ...authorization },
            body: renderMetrics([summary]),
          }),
          to: `the Pushgateway at ${base.origin}`,
          repeatable: true,
        },
      ],
      signal,
    );
  },
};

/** The group of a drill's metrics, with Base64 values, because Base64 can encode any text. https://github.com/prometheus/pushgateway#url */
function groupPath(job: string, { scenario, target }: Summary): string {
  const labels = { job, scenario: labelValue(scenario.name), target: labelValue(target) };
  const parts = Object.entries(labels).map(
    ([name, value]) => `${name}@base64/${value === '' ? '=' : Buffer.from(value).toString('base64url')}`,
  );
  return `metrics/${parts.join('/')}`;
}
