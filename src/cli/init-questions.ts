import { isIP } from 'node:net';
import { DrillError } from '../core/errors.ts';
import { faultKind } from '../faults/catalog.ts';
import {
  type FaultDetail,
  type FaultTemplate,
  faultTemplates,
  type Stack,
  transports,
} from '../init/stack.ts';
import { probeKind } from '../probes/catalog.ts';
import type { Ask } from './terminal-ask.ts';

/** What the command line says of a new stack; what is left out is asked for, or has a default. */
export interface InitOptions extends Partial<Readonly<Record<FaultDetail, string>>> {
  readonly name?: string;
  readonly transport?: string;
  readonly host: readonly string[];
  readonly url?: string;
  readonly vip?: string;
  readonly fault?: string;
}

/** One thing to know. */
interface Question {
  readonly option: string;
  readonly words: string;
  readonly given: string | undefined;
  /** Taken for an empty answer, and where nobody can be asked. */
  readonly fallback?: string;
  /** What is wrong with an answer; undefined where nothing is. */
  readonly wrong?: (answer: string) => string | undefined;
}

const word = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const hostPair = /^([A-Za-z0-9][A-Za-z0-9._-]*)=([A-Za-z0-9][A-Za-z0-9.:_-]*)$/;

/**
 * Gets to know a stack: from the options, and by questions for what they leave open where somebody can be asked.
 * @param ask undefined where nobody can be asked
 * @throws DrillError `invalid-input` for an option that will not do, or that is needed and missing
 */
export async function askForStack(options: InitOptions, fallbackName: string, ask: Ask): Promise<Stack> {
  const missing: string[] = [];
  const know = async (question: Question): Promise<string> => {
    const answer = await answerTo(question, ask);
    if (answer === undefined) missing.push(`${question.option}: ${question.words}`);
    return answer ?? '';
  };

  const name = await know({
    option: '--name',
    words: 'name of the stack',
    given: options.name,
    fallback: fallbackName,
    wrong: (text) => (word.test(text) ? undefined : 'expected letters, digits, dots, dashes'),
  });
  const transport = await know({
    option: '--transport',
    words: `how commands reach its hosts (${transports.join(', ')})`,
    given: options.transport,
    fallback: 'ssh',
    wrong: oneOf(transports),
  });
  const hosts = await know({
    option: '--host',
    words: `its hosts, as name=address, with blanks between${transport === 'docker' ? '; names are those of containers' : ''}`,
    given: options.host.length === 0 ? undefined : options.host.join(' '),
    wrong: wrongHosts,
  });
  const url = await know({
    option: '--url',
    words: 'URL that clients ask',
    given: options.url,
    wrong: (text) => probeKind('http')?.params.safeParse({ url: text }).error?.issues[0]?.message,
  });
  const vip = await know({
    option: '--vip',
    words: 'virtual address that one host holds at a time (empty: none)',
    given: options.vip,
    fallback: '',
    wrong: (text) => (text === '' || isIP(text) > 0 ? undefined : 'expected an IP address'),
  });
  const pairs = hosts.split(/\s+/).filter((text) => text !== '');
  const usable = usableFaults(transport, pairs);
  const kind = await know({
    option: '--fault',
    words: `first fault (${usable.map((template) => template.kind).join(', ')})`,
    given: options.fault,
    fallback: 'service.stop',
    wrong: (text) => wrongFault(text, usable, { transport, hosts: pairs.length }),
  });
  const template = usable.find((one) => one.kind === kind);
  const details = await askForDetails(kind, template, options, know);
  if (missing.length > 0) {
    throw new DrillError('invalid-input', ['init needs', ...missing].join('\n  '), {
      hint: 'Say them as options; on a terminal, without --no-input, init asks.',
    });
  }
  return {
    name,
    transport: transports.find((one) => one === transport) ?? 'ssh',
    hosts: pairs.map((pair) => {
      const [, host = '', address = ''] = hostPair.exec(pair) ?? [];
      return { name: host, address };
    }),
    url,
    vip: vip === '' ? undefined : vip,
    fault: { kind, ...details },
  };
}

/** The faults that go with a transport and with these hosts; without any host yet, all that may. */
function usableFaults(transport: string, pairs: readonly string[]): FaultTemplate[] {
  const isNamed = pairs.some((pair) => isIP(pair.replace(/^[^=]*=/, '')) === 0);
  return faultTemplates.filter(
    (template) =>
      (template.transports?.some((one) => one === transport) ?? true) &&
      (pairs.length === 0 || pairs.length >= (template.hosts ?? 1)) &&
      !(isNamed && template.numbers === true),
  );
}

/** What the fault is done to: asked for where it must be known, taken where it may be said, refused otherwise. */
async function askForDetails(
  kind: string,
  template: FaultTemplate | undefined,
  options: InitOptions,
  know: (question: Question) => Promise<string>,
): Promise<Partial<Record<FaultDetail, string>>> {
  const details: Partial<Record<FaultDetail, string>> = {};
  for (const detail of template?.asks ?? []) {
    details[detail] = await know({
      option: `--${detail}`,
      words: `${detail} of ${kind}${detail === 'unit' ? ', such as nginx.service' : ''}`,
      given: options[detail],
      wrong: (text) => wrongDetail(detail, text),
    });
  }
  for (const detail of ['unit', 'container', 'process'] as const) {
    const given = options[detail];
    if (given === undefined || template?.asks.includes(detail) === true) continue;
    const mayBeSaid = template?.mayAsk?.includes(detail) === true;
    const wrong = mayBeSaid ? wrongDetail(detail, given) : `a fault of kind ${kind} takes none`;
    if (wrong !== undefined) throw new DrillError('invalid-input', `--${detail} ${given}: ${wrong}`);
    details[detail] = given;
  }
  return details;
}

/** An option's value, or an answer that will do, or the default; undefined where there is none of them. */
async function answerTo(question: Question, ask: Ask): Promise<string | undefined> {
  const { option, words, given, fallback, wrong = () => undefined } = question;
  if (given !== undefined) {
    const problem = wrong(given);
    if (problem !== undefined) throw new DrillError('invalid-input', `${option} ${given}: ${problem}`);
    return given;
  }
  if (ask === undefined) return fallback;
  const hint = fallback === undefined || fallback === '' ? '' : ` [${fallback}]`;
  for (let before = ''; ;) {
    const typed = (await ask(`${before}${words}${hint}: `)).trim();
    const answer = typed === '' ? fallback : typed;
    const problem = answer === undefined ? 'there is no default' : wrong(answer);
    if (problem === undefined) return answer;
    before = `  ${problem}\n`;
  }
}

function oneOf(words: readonly string[]): (text: string) => string | undefined {
  return (text) => (words.includes(text) ? undefined : `expected ${words.join(', ')}`);
}

function wrongHosts(text: string): string | undefined {
  const pairs = text.split(/\s+/).filter((pair) => pair !== '');
  const stray = pairs.find((pair) => !hostPair.test(pair));
  if (stray !== undefined) return `expected name=address, found "${stray}"`;
  const names = pairs.map((pair) => pair.replace(/=.*/, ''));
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) return `two hosts are called "${twice}"`;
  return pairs.length === 0 ? 'expected one host at least' : undefined;
}

function wrongFault(
  kind: string,
  usable: readonly FaultTemplate[],
  { transport, hosts }: { readonly transport: string; readonly hosts: number },
): string | undefined {
  if (usable.some((template) => template.kind === kind)) return undefined;
  const template = faultTemplates.find((one) => one.kind === kind);
  if (template?.transports?.some((one) => one === transport) === false)
    return `needs transport ${template.transports.join(' or ')}`;
  if (template?.hosts !== undefined && hosts < template.hosts) return `needs ${template.hosts} hosts`;
  if (template?.numbers === true) return 'needs hosts by IP address: its rules take no names';
  const written = faultKind(kind) !== undefined ? 'init does not write this kind; ' : '';
  return `${written}expected ${usable.map((one) => one.kind).join(', ')}`;
}

/** By the kinds' own schemas. */
function wrongDetail(detail: FaultDetail, text: string): string | undefined {
  const [kind, params] = {
    unit: ['service.stop', { units: [text] }],
    container: ['container.stop', { container: text }],
    process: ['process.kill', { process: text }],
  }[detail] as [string, object];
  return faultKind(kind)?.params.safeParse(params).error?.issues[0]?.message;
}
