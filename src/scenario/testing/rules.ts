import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** A message of a validation rule: its source file, its template, and a pattern for the message that a user gets. */
export interface RuleMessage {
  readonly file: string;
  readonly written: string;
  readonly pattern: RegExp;
}

const src = join(import.meta.dirname, '..', '..');

/** Folders with schemas whose messages for invalid values count: those of kinds and of durations. */
const schemaFolders = ['core', 'faults', 'faults/lib', 'net', 'probes', 'probes/lib', 'writers'];
const schemaRule = /(?:\berror(?::| =)|\bmessage:)\s*$/;
const issueBefore = /addIssue\([^)]*$/;

/** Other prose in `src/scenario`: descriptions, names of checks, errors about arguments, and internal errors. */
const noRule = /(?:\.describe\(|\b(?:title|description):|named\(|\bcount\(|new Error\(|\.meta\()\s*$/;
const noRuleFiles = new Set(['check-schema.ts', 'settings.ts', 'used-probes.ts', 'load-text.ts']);

/**
 * For tests: the messages of all validation rules, extracted from the sources. In `src/scenario`, every text of multiple
 * words counts unless it is other prose; in other folders, only the messages of schemas count.
 */
export function ruleMessages(): RuleMessage[] {
  const own = namesIn('scenario')
    .filter((name) => !noRuleFiles.has(name))
    .flatMap((name) => proseIn('scenario', name))
    .filter(({ before, parts }) => !noRule.test(before) && !parts[0]?.startsWith('--'));
  const kinds = schemaFolders
    .flatMap((folder) => namesIn(folder).flatMap((name) => proseIn(folder, name)))
    .filter(
      ({ before }) =>
        schemaRule.test(before) && (/error(?::| =)\s*$/.test(before) || issueBefore.test(before)),
    );
  return [...own, ...kinds].map(({ file, parts }) => ({
    file,
    written: parts.join('…'),
    pattern: new RegExp(
      parts.map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)).join('.*'),
    ),
  }));
}

function namesIn(folder: string): string[] {
  return readdirSync(join(src, folder)).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
}

/** A string or template in a source file: its fixed parts, and the 120 characters before it. */
interface Literal {
  readonly before: string;
  readonly parts: readonly string[];
}

function proseIn(folder: string, name: string): (Literal & { readonly file: string })[] {
  return literalsIn(readFileSync(join(src, folder, name), 'utf8'))
    .filter(({ parts }) => /[A-Za-z]{2,}[,:;]? [A-Za-z`]/.test(parts.join(' x ')))
    .map((literal) => ({ ...literal, file: `${folder}/${name}` }));
}

/** Every string and template of a source text, without comments. */
function literalsIn(text: string): Literal[] {
  const found: Literal[] = [];
  const skipString = (from: number): number => {
    let at = from + 1;
    while (at < text.length && text[at] !== text[from]) at += text[at] === '\\' ? 2 : 1;
    return at + 1;
  };
  /** Scans to the end, or past the brace that closes an expression in a template. */
  const scan = (from: number): number => {
    let open = 0;
    for (let at = from; at < text.length;) {
      const letter = text[at] ?? '';
      if (text.startsWith('//', at) && text[at - 1] !== ':') at = text.indexOf('\n', at);
      else if (text.startsWith('/*', at)) at = text.indexOf('*/', at) + 2;
      else if (letter === "'" || letter === '"') {
        const end = skipString(at);
        found.push({
          before: text.slice(Math.max(0, at - 120), at),
          parts: [unescaped(text.slice(at + 1, end - 1))],
        });
        at = end;
      } else if (letter === '`') at = template(at);
      else if (letter === '}' && open-- === 0) return at + 1;
      else {
        if (letter === '{') open++;
        at++;
      }
    }
    return text.length;
  };
  const template = (from: number): number => {
    const parts = [''];
    for (let at = from + 1; at < text.length;) {
      if (text[at] === '`') {
        found.push({ before: text.slice(Math.max(0, from - 120), from), parts });
        return at + 1;
      }
      if (text.startsWith('${', at)) {
        at = scan(at + 2);
        parts.push('');
      } else {
        const length = text[at] === '\\' ? 2 : 1;
        parts.push(`${parts.pop() ?? ''}${unescaped(text.slice(at, at + length))}`);
        at += length;
      }
    }
    return text.length;
  };
  scan(0);
  return found;
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/g, '$1');
}
