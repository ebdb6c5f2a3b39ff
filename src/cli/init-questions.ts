import { isIP } from 'node:net';
import { DrillError } from '../core/errors.ts';
import { faultKind } from '../faults/catalog.ts';
import { clientProbe } from '../init/client-probe.ts';
import { type KnownContainer, resolveContainers } from '../init/container-names.ts';
import {
  defaultFault,
  detailsOf,
  type FaultDetail,
  type FaultTemplate,
  faultTemplates,
  type Stack,
  transports,
} from '../init/stack.ts';
import { probeKind } from '../probes/catalog.ts';
import { wrongId } from '../scenario/id-schema.ts';
import { listed, nearest } from '../scenario/suggest.ts';
import type { LocalEngine } from './docker-containers.ts';
import type { Ask } from './terminal-ask.ts';

/** The values that the command line gives for a new stack. */
export interface InitOptions extends Partial<Readonly<Record<FaultDetail, string>>> {
  readonly name?: string;
  readonly transport?: string;
  readonly host: readonly string[];
  /** Containers or Compose services on this machine, separated by commas or blanks. */
  readonly containers?: readonly string[];
  readonly url?: string;
  readonly passwordEnv?: string;
  readonly vip?: string;
  readonly fault?: string;
}

/** Where answers come from. */
export interface AnswerSources {
  /** Asks on the terminal; undefined without one. */
  readonly ask: Ask;
  /** The Docker engine on this machine; asked only about plain containers. */
  readonly engine: LocalEngine;
  /** Receives a warning about what could not be checked. */
  readonly warn: (text: string) => void;
}

/** One value that `init` needs. */
interface Question {
  readonly option: string;
  readonly words: string;
  readonly given: string | undefined;
  /** The value for an empty answer, and without a terminal. */
  readonly fallback?: string;
  /** The problem with an answer; undefined for a valid one. */
  readonly wrong?: (answer: string) => string | undefined;
}
type Know = (question: Question) => Promise<string>;

const hostPair = /^([A-Za-z0-9][A-Za-z0-9._-]*)=([A-Za-z0-9][A-Za-z0-9.:_-]*)$/;
const variable = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Reads a stack from the options, and asks for the missing values on a terminal.
 * @throws DrillError `invalid-input` for an invalid option, or for missing ones without a terminal
 */
export async function askForStack(
  options: InitOptions,
  fallbackName: string,
  sources: AnswerSources,
): Promise<Stack> {
  const missing: string[] = [];
  const know: Know = async (question) => {
    const answer = await answerTo(question, sources.ask);
    if (answer === undefined) missing.push(`${question.option}: ${question.words}`);
    return answer ?? '';
  };

  const name = await know({
    option: '--name',
    words: 'name of the stack',
    given: options.name,
    fallback: fallbackName,
    wrong: wrongId,
  });
  const transport = await knowTransport(options, know);
  const hosts = await knowHosts(transport, options, sources, know);
  const { url, passwordEnv } = await knowClients(options, know);
  const vip = await knowVip(transport, options, know);
  const usable = usableFaults(transport, hosts);
  const kind = await know({
    option: '--fault',
    words: `first fault (${usable.map((template) => template.kind).join(', ')})`,
    given: options.fault,
    fallback: defaultFault(transport, hosts.length),
    wrong: (text) => wrongFault(text, usable, { transport, hosts: hosts.length }),
  });
  const template = usable.find((one) => one.kind === kind);
  const main = transport === 'containers' && kind === 'process.kill' ? hosts[0]?.name : undefined;
  const mainProcess = main === undefined ? undefined : await sources.engine.mainProcess(main);
  const details = await askForDetails(template, { kind, transport, mainProcess }, options, know);
  if (missing.length > 0) {
    throw new DrillError('invalid-input', ['init needs', ...missing].join('\n  '), {
      hint: 'Pass them as options, or run init on a terminal without --no-input.',
    });
  }
  return {
    name,
    transport: transports.find((one) => one === transport) ?? 'ssh',
    hosts,
    url,
    ...(passwordEnv === '' ? {} : { passwordEnv }),
    vip: vip === '' ? undefined : vip,
    fault: { kind, ...details },
  };
}

async function knowTransport(options: InitOptions, know: Know): Promise<string> {
  const { containers = [] } = options;
  const named = containers.length > 0;
  if (named && options.transport !== undefined && options.transport !== 'containers') {
    throw new DrillError(
      'invalid-input',
      `--containers ${containers.join(' ')}: not valid with --transport ${options.transport}`,
      { hint: 'Remove --transport, or name the hosts with --host NAME=ADDRESS.' },
    );
  }
  refuseLoneContainer(options);
  return know({
    option: '--transport',
    words: `where the stack runs: ssh (machines), containers (plain containers or Compose services on this machine), docker (containers with systemd), local (this machine)`,
    given: named ? 'containers' : options.transport,
    fallback: 'ssh',
    wrong: oneOf(transports),
  });
}

/** `--container` alone is a slip for `--containers`: it names what a fault acts on, on a host that needs a name of its own. */
function refuseLoneContainer({ container, containers = [], host, transport }: InitOptions): void {
  if (container === undefined || containers.length > 0 || host.length > 0 || transport !== undefined) return;
  throw new DrillError('invalid-input', `--container ${container}: no host is named`, {
    hint: `For plain containers on this machine, pass --containers ${container}. For a container on a machine, add --host NAME=ADDRESS.`,
  });
}

async function knowHosts(
  transport: string,
  options: InitOptions,
  sources: AnswerSources,
  know: Know,
): Promise<Stack['hosts']> {
  if (transport === 'containers') return knowContainers(options, sources, know);
  const hosts = await know({
    option: '--host',
    words: `hosts, as name=address, separated by blanks${transport === 'docker' ? '; each name is that of a container' : ''}`,
    given: options.host.length === 0 ? undefined : options.host.join(' '),
    wrong: wrongHosts,
  });
  return wordsOf(hosts).map((pair) => {
    const [, host = '', address = ''] = hostPair.exec(pair) ?? [];
    return { name: host, address };
  });
}

async function knowContainers(
  { host, containers = [] }: InitOptions,
  { ask, engine, warn }: AnswerSources,
  know: Know,
): Promise<Stack['hosts']> {
  if (host.length > 0)
    throw new DrillError('invalid-input', `--host ${host.join(' ')}: not valid with --transport containers`, {
      hint: 'Name the containers with --containers NAME,NAME. They need no address.',
    });
  const given = containers.length === 0 ? undefined : wordsOf(containers.join(' ')).join(' ');
  const isAsked = given !== undefined || ask !== undefined;
  const answer = isAsked ? await engine.containers() : [];
  if (typeof answer === 'string') warn(`container names are not checked: docker ps: ${answer}`);
  const known = typeof answer === 'string' ? undefined : answer;
  const text = await know({
    option: '--containers',
    words: `containers or Compose services, separated by commas${runningWords(known)}`,
    given,
    wrong: (typed) => {
      const found = resolveContainers(wordsOf(typed), known);
      return 'problem' in found ? found.problem : undefined;
    },
  });
  const found = resolveContainers(wordsOf(text), known);
  return 'problem' in found ? [] : found.names.map((name) => ({ name }));
}

/** Names of the running containers, as part of the question. */
function runningWords(known: readonly KnownContainer[] | undefined): string {
  const names = (known ?? []).filter(({ state }) => state === 'running').map(({ name }) => name);
  return names.length === 0 ? '' : ` (running: ${listed(names)})`;
}

async function knowClients(
  { url: given, passwordEnv }: InitOptions,
  know: Know,
): Promise<{ readonly url: string; readonly passwordEnv: string }> {
  const url = await know({
    option: '--url',
    words:
      'URL that clients use: http://, https://, postgresql://USER@HOST:PORT/DATABASE, or tcp://HOST:PORT',
    given,
    wrong: wrongUrl,
  });
  const isDatabase = clientProbe(url)?.kind === 'sql';
  if (!isDatabase) {
    if (passwordEnv !== undefined && url !== '')
      throw new DrillError('invalid-input', `--password-env ${passwordEnv}: needs a postgresql:// URL`);
    return { url, passwordEnv: '' };
  }
  const env = await know({
    option: '--password-env',
    words: 'environment variable with the password (empty: no password)',
    given: passwordEnv,
    fallback: '',
    wrong: (text) =>
      text === '' || variable.test(text) ? undefined : 'expected the name of an environment variable',
  });
  return { url, passwordEnv: env };
}

async function knowVip(transport: string, { vip }: InitOptions, know: Know): Promise<string> {
  if (transport === 'containers') {
    if (vip === undefined) return '';
    throw new DrillError('invalid-input', `--vip ${vip}: needs transport ssh, docker, or local`);
  }
  return know({
    option: '--vip',
    words: 'virtual address that one host holds at a time (empty: none)',
    given: vip,
    fallback: '',
    wrong: (text) => (text === '' || isIP(text) > 0 ? undefined : 'expected an IP address'),
  });
}

/** The faults that fit a transport and these hosts; without hosts, all that fit the transport. */
function usableFaults(transport: string, hosts: Stack['hosts']): FaultTemplate[] {
  const isNamed = hosts.some(({ address = '' }) => isIP(address) === 0);
  return faultTemplates.filter(
    (template) =>
      (template.transports?.some((one) => one === transport) ?? true) &&
      (hosts.length === 0 || hosts.length >= (template.hosts ?? 1)) &&
      !(isNamed && template.numbers === true),
  );
}

/** The fault's details. Required ones are asked for, optional ones are taken from the options, and others are refused. */
async function askForDetails(
  template: FaultTemplate | undefined,
  fault: { readonly kind: string; readonly transport: string; readonly mainProcess: string | undefined },
  options: InitOptions,
  know: Know,
): Promise<Partial<Record<FaultDetail, string>>> {
  const { kind, transport, mainProcess } = fault;
  const { required, optional } =
    template === undefined ? { required: [], optional: [] } : detailsOf(template, transport);
  const details: Partial<Record<FaultDetail, string>> = {};
  for (const detail of required) {
    details[detail] = await know({
      option: `--${detail}`,
      words: `${detail} of ${kind}${detail === 'unit' ? ', such as nginx.service' : ''}`,
      given: options[detail],
      ...(detail === 'process' && mainProcess !== undefined ? { fallback: mainProcess } : {}),
      wrong: (text) => wrongDetail(detail, text),
    });
  }
  for (const detail of ['unit', 'container', 'process'] as const) {
    const given = options[detail];
    if (given === undefined || required.includes(detail)) continue;
    const wrong = optional.includes(detail) ? wrongDetail(detail, given) : refusal(detail, kind, transport);
    if (wrong !== undefined) throw new DrillError('invalid-input', `--${detail} ${given}: ${wrong}`);
    details[detail] = given;
  }
  return details;
}

function refusal(detail: FaultDetail, kind: string, transport: string): string {
  if (detail === 'container' && transport === 'containers')
    return 'not valid with transport containers, which acts on the first of --containers';
  if (detail === 'container' && transport === 'docker')
    return 'not valid with transport docker, where each host is a container itself';
  return `a fault of kind ${kind} has no ${detail}`;
}

/** The option's value, a valid answer, or the default; undefined without any of them. */
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
    const problem = answer === undefined ? 'a value is required' : wrong(answer);
    if (problem === undefined) return answer;
    before = `  ${problem}\n`;
  }
}

/** Words that are separated by blanks or commas. */
function wordsOf(text: string): string[] {
  return text.split(/[\s,]+/).filter((part) => part !== '');
}

function oneOf(words: readonly string[]): (text: string) => string | undefined {
  return (text) => {
    if (words.includes(text)) return undefined;
    const near = nearest(text, words);
    return near === undefined ? `expected ${words.join(', ')}` : `did you mean "${near}"?`;
  };
}

function wrongHosts(text: string): string | undefined {
  const pairs = wordsOf(text);
  const stray = pairs.find((pair) => !hostPair.test(pair));
  if (stray !== undefined) return `expected name=address, found "${stray}"`;
  const names = pairs.map((pair) => pair.replace(/=.*/, ''));
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) return `two hosts are named "${twice}"`;
  return pairs.length === 0 ? 'expected at least one host' : undefined;
}

/** By the schema of the probe that the URL's scheme selects. */
function wrongUrl(url: string): string | undefined {
  const probe = clientProbe(url);
  if (probe === undefined) return 'expected http://, https://, postgresql://, or tcp://';
  return probeKind(probe.kind)?.params.safeParse(probe.params).error?.issues[0]?.message;
}

function wrongFault(
  kind: string,
  usable: readonly FaultTemplate[],
  { transport, hosts }: { readonly transport: string; readonly hosts: number },
): string | undefined {
  if (usable.some((template) => template.kind === kind)) return undefined;
  const template = faultTemplates.find((one) => one.kind === kind);
  if (template?.transports?.some((one) => one === transport) === false)
    return `needs transport ${listOf(template.transports)}`;
  if (template?.hosts !== undefined && hosts < template.hosts) return `needs ${template.hosts} hosts`;
  if (template?.numbers === true) return 'needs hosts by IP address; host names do not work in its rules';
  const kinds = usable.map((one) => one.kind);
  const near = nearest(kind, kinds);
  if (near !== undefined) return `did you mean "${near}"?`;
  const written = faultKind(kind) === undefined ? '' : 'init does not write this kind; ';
  return `${written}expected ${kinds.join(', ')}`;
}

function listOf(words: readonly string[]): string {
  return words.length < 3 ? words.join(' or ') : `${words.slice(0, -1).join(', ')}, or ${words.at(-1)}`;
}

/** By the schemas of the fault kinds. */
function wrongDetail(detail: FaultDetail, text: string): string | undefined {
  const [kind, params] = {
    unit: ['service.stop', { units: [text] }],
    container: ['container.stop', { container: text }],
    process: ['process.kill', { process: text }],
  }[detail] as [string, object];
  return faultKind(kind)?.params.safeParse(params).error?.issues[0]?.message;
}
