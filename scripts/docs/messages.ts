import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { productFiles, root } from '../lib/product-files.ts';
import { wordsOfSource } from '../lib/source-text.ts';

const head = `Every text of firedrill that a person reads: errors, hints, descriptions of options and fields, and other texts.
Made from the sources by \`npm run docs\`, for review. {name} stands for a value. A text that is put together from parts has a line for each part.
`;

/** All messages, by file, in the order of the sources. */
export function messagesPage(): string {
  const sections = productFiles().flatMap((path) => {
    const lines = wordsOfSource(path, readFileSync(join(root, path), 'utf8'))
      .texts.filter(({ text }) => isProse(text))
      .map(({ kind, text }) => `  ${kind.padEnd(12)}${text.trim().replaceAll(/\s+/g, ' ')}`);
    return lines.length === 0 ? [] : [`${path}\n${[...new Set(lines)].join('\n')}\n`];
  });
  return [head, ...sections].join('\n');
}

/** At least three words one after another, and no program, markup, or style sheet. */
function isProse(text: string): boolean {
  const isProgram =
    /\$\(|\bthen\b.*\bfi\b|;\s*do\b|<\/?\w+[^>]*>|^\s*[.#@]?[\w-]+\s*\{|2>&1|\\n\s*\w+=|&& |\|\| |^set -/s.test(
      text,
    );
  return !isProgram && /[A-Za-z'’-]{2,}[,:;]? [a-z'’`{-]+[,:;}`]? [A-Za-z'’`{]+/.test(text);
}
