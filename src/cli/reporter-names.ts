import { extensionsOf, loadExtensions } from '../extension/load.ts';
import { reporterKinds } from '../reporters/catalog.ts';
import type { TypedWords } from './complete-words.ts';
import { display } from './display-path.ts';
import { readInput } from './inputs.ts';
import { filesNamed, loadPlansAndSuites } from './suite.ts';

/** Reporters for a command line: the built-in ones, and those of the extensions of its target. */
export function reporterNames(typed: TypedWords): string[] {
  return [...reporterKinds.map(({ name }) => name), ...ofExtensions(typed)];
}

function ofExtensions({ operands, values }: TypedWords): readonly string[] {
  const target = values.get('target');
  try {
    const reporters =
      target === undefined
        ? loadPlansAndSuites(filesNamed(operands), { variables: {} }).flatMap(
            ({ extensions }) => loadExtensions(extensions).reporters,
          )
        : extensionsOf(readInput(target).source, display).reporters;
    return [...new Set(reporters.map(({ name }) => name))];
  } catch {
    // The file is not complete yet, for example. A shell that completes a word shows no errors.
    return [];
  }
}
