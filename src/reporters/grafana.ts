import { measureText } from '../analysis/format.ts';
import type { Summary } from '../core/summary.ts';
import { earliest, latest } from '../core/time.ts';
import { below, endpoint, needed, setting } from './lib/endpoint.ts';
import { faultStretch, recoveryOf, type Stretch, wallMsOf } from './lib/moments.ts';
import { outbox } from './lib/outbox.ts';
import type { ReporterKind } from './reporter.ts';

const urlName = 'FIREDRILL_GRAFANA_URL';
const tokenName = 'FIREDRILL_GRAFANA_TOKEN';
const dashboardName = 'FIREDRILL_GRAFANA_DASHBOARD';

/** Body of POST /api/annotations; times in ms since the Unix epoch. https://grafana.com/docs/grafana/latest/developers/http_api/annotations/ */
export interface Annotation {
  /** Without it, the annotation belongs to the organization, and dashboards find it by its tags. */
  readonly dashboardUID?: string;
  readonly time: number;
  readonly timeEnd: number;
  readonly tags: readonly string[];
  readonly text: string;
}

/** Drills as region annotations on Grafana's dashboards. */
export const grafana: ReporterKind = {
  name: 'grafana',
  describe: `an annotation for each drill and each fault; needs ${urlName} and ${tokenName}`,
  create(_, { env, secret, signal }) {
    const text = needed(env, urlName, 'Grafana’s URL');
    const token = needed(env, tokenName, 'the token of a service account that may write annotations');
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
          // Grafana stores a repeated request as a second annotation.
          repeatable: false,
        })),
      signal,
    );
  },
};

/** One annotation for the drill, from the fault to the recovery, and one for each fault. */
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
    timeEnd: Math.ceil(latest(fromMs, toMs)),
    tags: [...tags, kind].map(tagOf),
    text: escaped(text),
  });
  return [
    annotation('drill', drillStretch(summary), drillText(summary)),
    ...summary.faults.map((fault) =>
      annotation(
        `fault:${fault.kind}`,
        faultStretch(fault, summary),
        `${fault.kind} on ${fault.on}${fault.healedAt === null ? ', not proven healed' : ''}`,
      ),
    ),
  ];
}

/** From the first effect to the recovery. Without a recovery: from the first fault, or else the start, to the end. */
function drillStretch(summary: Summary): Stretch {
  const issued = summary.faults.map((f) => wallMsOf(f.issuedAt));
  const fromMs = issued.length === 0 ? wallMsOf(summary.startedAt) : earliest(...issued);
  return recoveryOf(summary) ?? { fromMs, toMs: wallMsOf(summary.endedAt) };
}

function drillText({ scenario, verdict, healed, rto, reasons }: Summary): string {
  const rtoText = rto === null ? 'RTO not measured' : `RTO ${measureText(rto)}`;
  return [`${scenario.title}: ${verdict}, ${rtoText}${healed ? '' : ', not proven healed'}`, ...reasons].join(
    '\n',
  );
}

/** Characters. Grafana stores at most 100 of each half of a tag, and 500 of all tags together. */
const longestTag = 80;

function tagOf(text: string): string {
  return text.slice(0, longestTag).toWellFormed();
}

/** Escapes a text, because Grafana shows texts as sanitized HTML. */
function escaped(text: string): string {
  return text.toWellFormed().replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
