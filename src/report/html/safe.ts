import { stripControlCharactersInLines } from '../../core/control-characters.ts';

/** A piece of HTML: only this file makes one, so that what comes from outside is text in it. */
export class Html {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

/** What can stand in a template: HTML as it is, text and numbers escaped, lists joined, nothing left out. */
export type HtmlValue = Html | string | number | null | undefined | false | readonly HtmlValue[];

/** Longer texts are cut: what answered with a page of a megabyte is told of, not shown. Characters. */
const longest = 2000;

/**
 * HTML of a template: what is between the braces is text, in an element or in a quoted attribute, whatever
 * characters it has. Control characters and those that turn the direction of what follows are taken out; a text
 * longer than 2000 characters is cut, and says so.
 */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(
    tight(parts)
      .map((part, i) => part + rendered(values[i]))
      .join(''),
  );
}

const tightened = new WeakMap<TemplateStringsArray, readonly string[]>();

/** The template's own parts without the indentation that they have in the source. */
function tight(parts: TemplateStringsArray): readonly string[] {
  const known = tightened.get(parts);
  if (known !== undefined) return known;
  const made = parts.map((part) => part.replace(/\s*\n\s*/g, '\n'));
  tightened.set(parts, made);
  return made;
}

/** The commands of an SVG path, of any length. @throws RangeError for anything else */
export function pathData(commands: string): Html {
  if (!/^[-\d.,MLHVZhvlz]*$/.test(commands)) throw new RangeError('not the commands of a path');
  return new Html(commands);
}

function rendered(value: HtmlValue): string {
  if (value === null || value === undefined || value === false) return '';
  if (value instanceof Html) return value.toString();
  if (typeof value === 'object') return value.map(rendered).join('');
  return escaped(String(value));
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  const cut =
    text.length <= longest ? text : `${text.slice(0, longest)}… (${text.length - longest} more characters)`;
  return stripControlCharactersInLines(cut.toWellFormed()).replace(/[&<>"']/g, (c) => entities[c] ?? '');
}
