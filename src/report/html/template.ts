import { stripControlCharactersInLines } from '../../core/control-characters.ts';

/** A piece of HTML. Only this file creates one, so that external text is always escaped. */
export class Html {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

/** A template value: HTML is inserted as it is, text and numbers are escaped, lists are joined, null, undefined, and false are dropped. */
export type HtmlValue = Html | string | number | null | undefined | false | readonly HtmlValue[];

/** Longer texts are cut, because a probe body can be a megabyte. Characters. */
const longest = 2000;

/**
 * HTML of a template. Values are escaped for an element and for a quoted attribute. Control characters and characters
 * that change the writing direction are removed. A text longer than 2000 characters is cut, with a note.
 */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(
    tight(parts)
      .map((part, i) => part + rendered(values[i]))
      .join(''),
  );
}

const tightened = new WeakMap<TemplateStringsArray, readonly string[]>();

/** The template's literal parts without their source indentation. */
function tight(parts: TemplateStringsArray): readonly string[] {
  const known = tightened.get(parts);
  if (known !== undefined) return known;
  const made = parts.map((part) => part.replace(/\s*\n\s*/g, '\n'));
  tightened.set(parts, made);
  return made;
}

/** Path data of an SVG path, of any length. @throws RangeError if it has other characters */
export function pathData(commands: string): Html {
  if (!/^[-\d.,MLHVZhvlz]*$/.test(commands))
    throw new RangeError('render an SVG path: its data has characters other than path commands and numbers');
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
