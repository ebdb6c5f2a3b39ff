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

/** Known values by the name of an option (`stack`) or of an argument. */
export type KnownValues = Readonly<Record<string, () => readonly string[]>>;

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
  let operands = 0;
  let pending: Option | undefined;
  const given = new Set<string>();
  for (const word of before) {
    if (pending !== undefined) {
      pending = undefined;
      continue;
    }
    if (word === '--') return nothing;
    if (word.startsWith('-') && word !== '-') {
      const option = optionOf(command, word.replace(/=.*/s, ''));
      if (option === undefined) continue;
      given.add(option.attributeName());
      if (takesValue(option) && !word.includes('=')) pending = option;
      continue;
    }
    const next = operands === 0 ? subcommands(command).find((one) => one.name() === word) : undefined;
    if (next === undefined) operands += 1;
    else command = next;
  }
  if (pending !== undefined) return valuesOf(pending, current, known);
  const [, flag, value] = /^(--[^=]+)=(.*)$/s.exec(current) ?? [];
  if (flag !== undefined && value !== undefined) {
    const option = optionOf(command, flag);
    return option === undefined ? nothing : valuesOf(option, value, known, `${flag}=`);
  }
  if (current.startsWith('-')) return optionsFor(command, current, given);
  const commands = operands === 0 ? subcommands(command) : [];
  if (commands.length > 0) {
    return startingWith(
      current,
      commands.map((one) => ({ word: one.name(), about: one.description() })),
    );
  }
  const requested = command.registeredArguments;
  const last = requested.at(-1);
  const argument = requested[operands] ?? (last?.variadic === true ? last : undefined);
  if (argument === undefined) return optionsFor(command, current, given);
  if (argument.argChoices !== undefined) return startingWith(current, argument.argChoices.map(asWord));
  return byName(argument.name(), argument.name(), current, known);
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

function valuesOf(option: Option, current: string, known: KnownValues, prefix = ''): Candidates {
  if (option.argChoices !== undefined) return startingWith(current, option.argChoices.map(asWord), prefix);
  const placeholder = /[<[]([^>\]]+)[>\]]/.exec(option.flags)?.[1] ?? '';
  return byName(option.attributeName(), placeholder, current, known, prefix);
}

/** Known values of the name if any match, else paths according to the placeholder. */
function byName(
  name: string,
  placeholder: string,
  current: string,
  known: KnownValues,
  prefix = '',
): Candidates {
  const values = known[name]?.() ?? [];
  const found = startingWith(current, values.map(asWord), prefix);
  if (found.kind === 'words' && found.words.length > 0) return found;
  if (/^(?:file|scenario|suite)/.test(placeholder)) return { kind: 'files' };
  if (/^(?:folder|run)/.test(placeholder)) return { kind: 'folders' };
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
