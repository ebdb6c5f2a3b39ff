import { basename } from 'node:path';
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

/** The retired words of a source file (`.ts`, `.mjs`), a schema (`.json`), or a page (`.md`), in order of their lines. */
export function findRetiredWords(path: string, text: string): RetiredUse[] {
  const lines = text.split('\n');
  return usesIn(path, text)
    .filter(({ line, found }) => !isExcepted(lines, line, found))
    .sort((a, b) => a.line - b.line);
}

function usesIn(path: string, text: string): RetiredUse[] {
  if (!/\.(ts|mjs)$/.test(path)) return inProse(path, blocksOfFile(path, text));
  const { texts, comments, names } = wordsOfSource(path, text);
  const isException = ({ text }: SourceText): boolean => /^\s*vocabulary: "/.test(text);
  return [
    ...inProse(path, [
      ...texts.map(linesOf),
      ...blocksOf(comments.filter((one) => !isException(one)).flatMap(linesOf)),
    ]),
    ...inNames(path, [{ line: 1, text: basename(path) }, ...names]),
  ];
}

/** A paragraph, or another text without a break: its lines, one after the other. */
type Block = readonly SourceText[];

/** What precedes the words of a line: the star of a comment, or the mark of a quotation. */
const margin = /^\s*(?:[*>]\s+)*/;

/** A line that begins a new block: a heading, an item of a list, a row of a table, or a tag of a doc comment. */
const beginsBlock = /^(?:#|[-*+] |\d+\. |\||@)/;

function inProse(path: string, blocks: readonly Block[]): RetiredUse[] {
  return blocks.flatMap((block) => {
    const lines = block.map(({ text }) => text.replace(margin, ''));
    // Code is no prose. It is masked, so that each character keeps its place.
    const text = lines.join(' ').replaceAll(/`[^`]*`|\{\w+\}/g, (code) => '`'.repeat(code.length));
    const lineAt = (offset: number): number => {
      let end = 0;
      return (
        (block.find((_, index) => offset < (end += (lines[index] ?? '').length + 1)) ?? block[0])?.line ?? 1
      );
    };
    return retiredWords.flatMap(({ word, instead, inProse: pattern }) =>
      pattern === undefined
        ? []
        : [...text.matchAll(new RegExp(pattern, `${pattern.flags}g`))].map(({ 0: found, index }) => ({
            path,
            line: lineAt(index),
            found,
            word,
            instead,
          })),
    );
  });
}

function inNames(path: string, names: readonly SourceText[]): RetiredUse[] {
  return names.flatMap(({ line, text }) => {
    const parts = text
      .split(/(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_.-]/)
      .map((part) => part.toLowerCase());
    return retiredWords
      .filter(({ inNames = [] }) => parts.some((part) => inNames.includes(part)))
      .map(({ word, instead }) => ({ path, line, found: text, word, instead }));
  });
}

function linesOf({ line, text }: SourceText): SourceText[] {
  return text.split('\n').map((part, index) => ({ line: line + index, text: part }));
}

/** The paragraphs of a page without its code blocks, or the descriptions of a schema. */
function blocksOfFile(path: string, text: string): Block[] {
  const lines = linesOf({ line: 1, text });
  if (path.endsWith('.json'))
    return lines.filter(({ text: line }) => /^\s*"(description|title)":/.test(line)).map((line) => [line]);
  let fence: string | undefined;
  return blocksOf(
    lines.map((line) => {
      const [, mark = '', rest = ''] = /^\s*(`{3,}|~{3,})(.*)$/.exec(line.text) ?? [];
      const before = fence;
      if (before === undefined) fence = mark === '' ? undefined : mark;
      else if (mark.startsWith(before) && rest.trim() === '') fence = undefined;
      return before === undefined && fence === undefined ? line : { ...line, text: '' };
    }),
  );
}

/** Groups lines that follow each other. An empty line ends a block. */
function blocksOf(lines: readonly SourceText[]): Block[] {
  const blocks: SourceText[][] = [];
  let open: SourceText[] | undefined;
  for (const line of lines) {
    const words = line.text.replace(margin, '');
    const follows = open?.at(-1)?.line === line.line - 1 && !beginsBlock.test(words);
    if (words === '') open = undefined;
    else if (follows) open?.push(line);
    else blocks.push((open = [line]));
  }
  return blocks;
}

/** Whether a comment on the line, or on the line before it, allows the word. */
function isExcepted(lines: readonly string[], line: number, found: string): boolean {
  return [lines[line - 1], lines[line - 2]].some((text) =>
    [...(text ?? '').matchAll(/vocabulary: ((?:"[^"]+",? ?)+)/g)].some(([, words = '']) =>
      words.toLowerCase().includes(`"${found.toLowerCase()}"`),
    ),
  );
}
