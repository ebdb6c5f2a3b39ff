import { measureWords } from '../analysis/words.ts';
import type { Summary } from '../core/summary.ts';
import { below, endpoint, needed, setting } from './lib/endpoint.ts';
import { faultStretch, recoveryOf, type Stretch, wallMs } from './lib/moments.ts';
import { outbox } from './lib/outbox.ts';
import type { ReporterKind } from './reporter.ts';

const urlName = 'FIREDRILL_GRAFANA_URL';
const tokenName = 'FIREDRILL_GRAFANA_TOKEN';
const dashboardName = 'FIREDRILL_GRAFANA_DASHBOARD';

/** What POST /api/annotations takes: times in ms since the epoch. https://grafana.com/docs/grafana/latest/developers/http_api/annotations/ */
export interface Annotation {
  /** Without one the annotation is the organisation's, and is found by its tags. */
  readonly dashboardUID?: string;
  readonly time: number;
  readonly timeEnd: number;
  readonly tags: readonly string[];
  readonly text: string;
}

/** Drills as region annotations on Grafana's dashboards. */
export const grafana: ReporterKind = {
  name: 'grafana',
  describe: `an annotation for each drill and each fault, at ${urlName} with ${tokenName}`,
  create(_, { env, secret, signal }) {
    const text = needed(env, urlName, 'the address of Grafana');
    const token = needed(env, tokenName, 'a service account’s token that may write annotations');
    secret(token);
    const url = below(endpoint(text, { name: urlName, credential: true, env }), 'api/annotations');
    const dashboard = setting(env, dashboardName);
    return outbox(
      ({ summary }) =>
        annotationsOf(summary, dashboard).map((body) => ({
          call: () => ({
            method: 'POST',
            url: url.href,
            headers: { authorization: `Bearer ${token}` },
            body,
          }),
          to: url.origin,
          // Grafana takes a second one for another.
          repeatable: false,
        })),
      signal,
    );
  },
};

/** One for the drill, from the fault to the recovery, and one for each fault. */
export function annotationsOf(summary: Summary, dashboard?: string): readonly Annotation[] {
  const { scenario, target, verdict, runId } = summary;
  const tags = [
    'firedrill',
    `scenario:${scenario.name}`,
    `target:${target}`,
    `verdict:${verdict}`,
    `run:${runId}`,
  ];
  const annotation = (kind: string, { fromMs, toMs }: Stretch, text: string): Annotation => ({
    ...(dashboard === undefined ? {} : { dashboardUID: dashboard }),
    time: Math.floor(fromMs),
    timeEnd: Math.ceil(Math.max(fromMs, toMs)),
    tags: [...tags, kind].map(tagOf),
    text: escaped(text),
  });
  return [
    annotation('drill', drillStretch(summary), drillWords(summary)),
    ...summary.faults.map((fault) =>
      annotation(
        `fault:${fault.kind}`,
        faultStretch(fault, summary),
        `${fault.kind} on ${fault.on}${fault.healedAt === null ? ', not proven healed' : ''}`,
      ),
    ),
  ];
}

/** From the first effect to the recovery; without one, from the first fault (without any, the beginning) to the end. */
function drillStretch(summary: Summary): Stretch {
  const issued = summary.faults.map((f) => wallMs(f.issuedAt));
  const fromMs = issued.length === 0 ? wallMs(summary.startedAt) : Math.min(...issued);
  return recoveryOf(summary) ?? { fromMs, toMs: wallMs(summary.endedAt) };
}

function drillWords({ scenario, verdict, healed, rto, reasons }: Summary): string {
  const rtoWords = rto === null ? 'no RTO' : `RTO ${measureWords(rto)}`;
  return [
    `${scenario.title}: ${verdict}, ${rtoWords}${healed ? '' : ', not proven healed'}`,
    ...reasons,
  ].join('\n');
}

/** Grafana stores 100 characters of each half of a tag, and 500 of all together. */
const longestTag = 80;

function tagOf(text: string): string {
  return text.slice(0, longestTag).toWellFormed();
}

/** Grafana shows texts as HTML, cleaned. */
function escaped(text: string): string {
  return text.toWellFormed().replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
