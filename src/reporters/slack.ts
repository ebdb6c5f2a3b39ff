import { durationText } from '../core/format-duration.ts';
import { estimateText } from '../analysis/format.ts';
import type { Summary } from '../core/summary.ts';
import { counted, plain } from '../report/text.ts';
import { rtoText, stageText } from '../report/verdict-text.ts';
import { deliver } from './lib/deliver.ts';
import { endpoint, needed, secretsOf } from './lib/endpoint.ts';
import type { FinishedRun, ReporterKind } from './reporter.ts';

const urlName = 'FIREDRILL_SLACK_WEBHOOK_URL';

/** The used subset of Slack's blocks. https://docs.slack.dev/reference/block-kit/blocks/ */
export type Block =
  | { readonly type: 'header'; readonly text: { readonly type: 'plain_text'; readonly text: string } }
  | { readonly type: 'section'; readonly text: Mrkdwn }
  | { readonly type: 'context'; readonly elements: Mrkdwn[] };

interface Mrkdwn {
  readonly type: 'mrkdwn';
  readonly text: string;
  /** Turns off automatic links. */
  readonly verbatim: true;
}

/** A message to an incoming webhook. */
export interface SlackMessage {
  /** Fallback text for notifications. */
  readonly text: string;
  readonly blocks: Block[];
}

/** Posts one message to Slack after the command. */
export const slack: ReporterKind = {
  name: 'slack',
  describe: `a message with all drills after the command, to the incoming webhook in ${urlName}`,
  create(_, { env, secret, signal }) {
    const text = needed(env, urlName, 'the URL of an incoming webhook');
    const url = endpoint(text, { name: urlName, credential: true, env });
    for (const part of secretsOf(url)) secret(part);
    return {
      async runEnded(run) {
        const body = slackMessage(run);
        const call = { method: 'POST', url: url.href, headers: {}, body } as const;
        await deliver({ call: () => call, to: `Slack (${urlName})`, repeatable: false }, signal);
      },
    };
  },
};

/** Slack's limits: blocks of a message, characters of a header and of a section. The limit of a whole message is undocumented: 11,341 characters were refused (slackapi/bolt-js#2867). */
const mostBlocks = 50;
const longestHeader = 150;
const longestSection = 3000;
const longestMessage = 9000;
const longestLine = 600;
/** Blocks before and after the drills. */
const otherBlocks = 3;

/** A message with the drills of a command, the worst first, as many as fit. */
export function slackMessage({ drills, exitCode, error }: FinishedRun): SlackMessage {
  const summaries = drills.map((drill) => drill.summary).sort((a, b) => gravity(b) - gravity(a));
  const title = cut(titleOf(summaries), longestHeader);
  const shown = fitting(summaries.map((summary) => mrkdwn(drillLines(summary))));
  const left = summaries.length - shown.length;
  const ended = error === undefined ? 'ended' : 'ended early';
  return {
    text: escaped(title),
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: title } },
      ...shown.map((text): Block => ({ type: 'section', text })),
      ...(left === 0 ? [] : [context(`${counted(left, 'more drill')} not shown`)]),
      context(`firedrill ${ended} with exit code ${exitCode}`),
    ],
  };
}

/** The first texts that fit in a message. */
function fitting(texts: readonly Mrkdwn[]): readonly Mrkdwn[] {
  let length = 0;
  const room = texts.slice(0, mostBlocks - otherBlocks);
  const end = room.findIndex(({ text }) => (length += text.length) > longestMessage);
  return end < 0 ? room : room.slice(0, end);
}

function titleOf(summaries: readonly Summary[]): string {
  const [only, ...others] = summaries;
  if (only === undefined) return 'No drill was run';
  if (others.length === 0) return `${wordOf(only)}: ${plain(only.scenario.title)}`;
  const counts = new Map<string, number>();
  for (const summary of summaries) counts.set(wordOf(summary), (counts.get(wordOf(summary)) ?? 0) + 1);
  return `${summaries.length} drills: ${[...counts].map(([word, count]) => `${count} ${word}`).join(', ')}`;
}

function wordOf({ verdict, healed }: Summary): string {
  return healed ? verdict : 'NOT HEALED';
}

/** Sort key, worst highest: an unhealed fault is worse than every verdict. */
function gravity({ healed, verdict }: Summary): number {
  if (!healed) return 3;
  return { fail: 2, inconclusive: 1, pass: 0 }[verdict];
}

function drillLines(summary: Summary): readonly string[] {
  const { scenario, target, rto, downtime, redundancy, rpo } = summary;
  const figures = [
    rto === null ? 'RTO not measured' : `RTO ${rtoText(rto)}`,
    ...(downtime === null
      ? []
      : [`downtime ${estimateText(downtime)} in ${counted(downtime.windows, 'window')}`]),
    ...(redundancy === null ? [] : [`redundancy after ${durationText(redundancy.ms)}`]),
    ...(rpo === null ? [] : [`${rpo.lost} of ${rpo.acked} acknowledged rows lost`]),
  ];
  return [
    `*${escaped(wordOf(summary))}* ${escaped(scenario.title)} (${escaped(scenario.name)} on ${escaped(target)})`,
    escaped(figures.join(', ')),
    ...summary.reasons.map((reason) => `• ${escaped(reason)}`),
    ...summary.checks
      .filter((check) => check.status !== 'pass')
      .map((check) => escaped(`• ${check.status}: ${check.name}: ${check.observed}, limit ${check.limit}`)),
    ...stageLine(summary),
    `run ${escaped(summary.runId)}`,
  ];
}

function stageLine({ stages }: Summary): readonly string[] {
  if (stages.length < 2) return [];
  return [escaped(`stages: ${stages.map((stage) => `${stage.name} ${stageText(stage)}`).join(', ')}`)];
}

function context(text: string): Block {
  return { type: 'context', elements: [mrkdwn([text])] };
}

/** Joins lines, each cut to its maximum length; last lines that do not fit in a section are omitted. */
function mrkdwn(lines: readonly string[]): Mrkdwn {
  let text = '';
  for (const line of lines.map(shortened)) {
    const more = text === '' ? line : `${text}\n${line}`;
    if (more.length > longestSection - 2) {
      text = `${text}\n…`;
      break;
    }
    text = more;
  }
  return { type: 'mrkdwn', text, verbatim: true };
}

/** Cuts an escaped text without splitting a character or an entity. */
function shortened(text: string): string {
  if (text.length <= longestLine) return text.toWellFormed();
  return `${text
    .slice(0, longestLine - 1)
    .replace(/&[a-z]*$/, '')
    .toWellFormed()}…`;
}

function cut(text: string, length: number): string {
  return text.length <= length ? text.toWellFormed() : `${text.slice(0, length - 1).toWellFormed()}…`;
}

/** Escapes Slack's markup; its other formatting is harmless. https://docs.slack.dev/messaging/formatting-message-text#escaping */
function escaped(text: string): string {
  return plain(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
