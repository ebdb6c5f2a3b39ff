import { retiredWords } from './retired-words.ts';
import { wordsOfSource, type SourceText } from './source-text.ts';

/** A retired word where it stands. Lines count from 1. */
export interface RetiredUse {
  readonly path: string;
  readonly line: number;
  readonly found: string;
  readonly word: string;
  readonly instead: string;
}

/** The retired words of a source file (`.ts`), a schema (`.json`), or a page (`.md`), in order of their lines. */
export function findRetiredWords(path: string, text: string): RetiredUse[] {
  const lines = text.split('\n');
  return usesIn(path, text)
    .filter(({ line, found }) => !isExcepted(lines, line, found))
    .sort((a, b) => a.line - b.line);
}

function usesIn(path: string, text: string): RetiredUse[] {
  if (!path.endsWith('.ts')) return inProse(path, proseOf(path, text));
  const { texts, comments, names } = wordsOfSource(path, text);
  const isException = ({ text }: SourceText): boolean => /^\s*vocabulary: "/.test(text);
  return [
    ...inProse(
      path,
      [...texts, ...comments].filter((one) => !isException(one)),
    ),
    ...inNames(path, names),
  ];
}

function inProse(path: string, texts: readonly SourceText[]): RetiredUse[] {
  return texts.flatMap(({ line, text }) =>
    text.split('\n').flatMap((part, index) =>
      retiredWords.flatMap(({ word, instead, inProse: pattern }) => {
        const found = pattern?.exec(part.replaceAll(/`[^`]*`|\{\w+\}/g, '``'))?.[0];
        return found === undefined ? [] : [{ path, line: line + index, found, word, instead }];
      }),
    ),
  );
}

function inNames(path: string, names: readonly SourceText[]): RetiredUse[] {
  return names.flatMap(({ line, text }) => {
    const parts = text.split(/(?=[A-Z])|_/).map((part) => part.toLowerCase());
    return retiredWords
      .filter(({ inNames = [] }) => parts.some((part) => inNames.includes(part)))
      .map(({ word, instead }) => ({ path, line, found: text, word, instead }));
  });
}

/** The lines of a page without its code blocks, or the descriptions of a schema. */
function proseOf(path: string, text: string): SourceText[] {
  let isCode = false;
  return text.split('\n').flatMap((line, index) => {
    if (path.endsWith('.json'))
      return /^\s*"(description|title)":/.test(line) ? [{ line: index + 1, text: line }] : [];
    if (/^\s*(```|~~~)/.test(line)) isCode = !isCode;
    return isCode ? [] : [{ line: index + 1, text: line }];
  });
}

/** Whether a comment on the line, or on the line before it, allows the word. */
function isExcepted(lines: readonly string[], line: number, found: string): boolean {
  return [lines[line - 1], lines[line - 2]].some((text) =>
    [...(text ?? '').matchAll(/vocabulary: ((?:"[^"]+",? ?)+)/g)].some(([, words = '']) =>
      words.toLowerCase().includes(`"${found.toLowerCase()}"`),
    ),
  );
}
