import type { Command, Option } from 'commander';
import { RepeatableOption } from './repeatable-option.ts';

/** The candidates at the cursor: words, or paths, which the shell completes itself. */
export type Candidates =
  { readonly kind: 'files' | 'folders' } | { readonly kind: 'words'; readonly words: readonly Candidate[] };

/** A word, and its description. */
export interface Candidate {
  readonly word: string;
  readonly about?: string;
}

/** The words of a command before the cursor. */
export interface TypedWords {
  readonly operands: readonly string[];
  /** Values of options by the name of the option (`stack`). */
  readonly values: ReadonlyMap<string, string>;
}

/** Known values by the name of an option (`stack`) or of an argument. */
export type KnownValues = Readonly<Record<string, (typed: TypedWords) => readonly string[]>>;

const nothing: Candidates = { kind: 'words', words: [] };

/**
 * The candidates at the cursor of a command line, from the program's own definitions: commands, options, their choices,
 * and paths where the placeholder is file, folder, scenario, suite, or run. There is no separate list to maintain.
 *
 * @param words the words after the program's name, up to the cursor; the last one is incomplete, and may be empty
 */
export function completeWords(program: Command, words: readonly string[], known: KnownValues): Candidates {
  // bash splits `--stack=x` into three words, and `--stack=` into two.
  const isSign = (word: string, i: number): boolean => word === '=' && (words[i - 1] ?? '').startsWith('--');
  const typed = words.filter((word, i) => !isSign(word, i));
  if (isSign(words.at(-1) ?? '', words.length - 1)) typed.push('');
  const before = typed.slice(0, -1);
  const current = typed.at(-1) ?? '';
  let command = program;
  const operands: string[] = [];
  const values = new Map<string, string>();
  let pending: Option | undefined;
  const given = new Set<string>();
  for (const word of before) {
    if (pending !== undefined) {
      values.set(pending.attributeName(), word);
      pending = undefined;
      continue;
    }
    if (word === '--') return nothing;
    if (word.startsWith('-') && word !== '-') {
      const option = optionOf(command, word.replace(/=.*/s, ''));
      if (option === undefined) continue;
      given.add(option.attributeName());
      const [, inline] = /^[^=]+=(.*)$/s.exec(word) ?? [];
      if (inline !== undefined) values.set(option.attributeName(), inline);
      else if (takesValue(option)) pending = option;
      continue;
    }
    const next = operands.length === 0 ? subcommands(command).find((one) => one.name() === word) : undefined;
    if (next === undefined) operands.push(word);
    else command = next;
  }
  const valuesFor = (option: Option, value: string, prefix = ''): Candidates =>
    valuesOf(option, value, (name) => known[name]?.({ operands, values }) ?? [], prefix);
  if (pending !== undefined) return valuesFor(pending, current);
  const [, flag, value] = /^(--[^=]+)=(.*)$/s.exec(current) ?? [];
  if (flag !== undefined && value !== undefined) {
    const option = optionOf(command, flag);
    return option === undefined ? nothing : valuesFor(option, value, `${flag}=`);
  }
  if (current.startsWith('-')) return optionsFor(command, current, given);
  const commands = operands.length === 0 ? subcommands(command) : [];
  if (commands.length > 0) {
    return startingWith(
      current,
      commands.map((one) => ({ word: one.name(), about: one.description() })),
    );
  }
  const requested = command.registeredArguments;
  const last = requested.at(-1);
  const argument = requested[operands.length] ?? (last?.variadic === true ? last : undefined);
  if (argument === undefined) return optionsFor(command, current, given);
  if (argument.argChoices !== undefined) return startingWith(current, argument.argChoices.map(asWord));
  const name = argument.name();
  return knownOrPaths(known[name]?.({ operands, values }) ?? [], name, current);
}

function subcommands(command: Command): readonly Command[] {
  return command.createHelp().visibleCommands(command);
}

function optionOf(command: Command, flag: string): Option | undefined {
  return command.options.find((option) => option.long === flag || option.short === flag);
}

function takesValue(option: Option): boolean {
  return option.required || option.optional;
}

/** Options that are not on the line yet, and options that may be given several times. */
function optionsFor(command: Command, current: string, given: ReadonlySet<string>): Candidates {
  const options = command
    .createHelp()
    .visibleOptions(command)
    .filter((option) => !given.has(option.attributeName()) || option instanceof RepeatableOption);
  return startingWith(
    current,
    options.flatMap(({ long, description }) => (long == null ? [] : [{ word: long, about: description }])),
  );
}

function valuesOf(
  option: Option,
  current: string,
  known: (name: string) => readonly string[],
  prefix: string,
): Candidates {
  if (option.argChoices !== undefined) return startingWith(current, option.argChoices.map(asWord), prefix);
  const placeholder = /[<[]([^>\]]+)[>\]]/.exec(option.flags)?.[1] ?? '';
  // Of a list with commas, the last entry is incomplete.
  const before = option.flags.includes(',...') ? current.slice(0, current.lastIndexOf(',') + 1) : '';
  return knownOrPaths(
    known(option.attributeName()),
    placeholder,
    current.slice(before.length),
    `${prefix}${before}`,
  );
}

/** The known values if any match, else paths according to the placeholder. */
function knownOrPaths(
  values: readonly string[],
  placeholder: string,
  current: string,
  prefix = '',
): Candidates {
  const found = startingWith(current, values.map(asWord), prefix);
  if (found.kind === 'words' && found.words.length > 0) return found;
  if (/^(?:file|scenario|suite|module)/.test(placeholder)) return { kind: 'files' };
  // Not `run/fault`, the name of an open fault.
  if (/^(?:folder|run(?!\/))/.test(placeholder)) return { kind: 'folders' };
  return nothing;
}

function asWord(word: string): Candidate {
  return { word };
}

function startingWith(current: string, all: readonly Candidate[], prefix = ''): Candidates {
  const words = all
    .filter(({ word }) => word.startsWith(current))
    .map((candidate) => ({ ...candidate, word: `${prefix}${candidate.word}` }));
  return { kind: 'words', words };
}
