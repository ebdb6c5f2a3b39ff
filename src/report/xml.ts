/* oxlint-disable no-control-regex -- XML 1.0 has no place for them, however they are written */

/** An element: its attributes in the order in which they are set, those without a value left out. */
export interface XmlElement {
  readonly name: string;
  readonly attributes?: Readonly<Record<string, string | number | undefined>>;
  readonly children?: readonly (XmlElement | string)[];
}

/** Longer texts are cut: a file for a CI server is read whole, and shown. Characters. */
const longest = 2000;

/** Text as XML 1.0 can have it (https://www.w3.org/TR/xml/#charsets): control characters, halves of characters and non-characters are replaced. */
function legal(text: string): string {
  const cut =
    text.length <= longest ? text : `${text.slice(0, longest)}… (${text.length - longest} more characters)`;
  return cut
    .toWellFormed()
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f\ufffe\uffff]/g, '\ufffd')
    .replace(/[\u061c\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g, '');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  // A reader would make blanks of these in an attribute, and of a \r a \n anywhere.
  '\n': '&#10;',
  '\r': '&#13;',
  '\t': '&#9;',
};

function attribute(text: string): string {
  return legal(text).replace(/[&<>"\n\r\t]/g, (c) => entities[c] ?? c);
}

function content(text: string): string {
  return legal(text).replace(/[&<>\r]/g, (c) => entities[c] ?? c);
}

function lines({ name, attributes = {}, children = [] }: XmlElement, indent: string): string[] {
  const set = Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [` ${key}="${attribute(String(value))}"`],
  );
  const start = `${indent}<${name}${set.join('')}`;
  if (children.length === 0) return [`${start}/>`];
  const texts = children.filter((child) => typeof child === 'string');
  // Blanks around a text would be part of it.
  if (texts.length > 0) return [`${start}>${texts.map(content).join('')}</${name}>`];
  const inner = children.flatMap((child) => (typeof child === 'string' ? [] : lines(child, `${indent}  `)));
  return [`${start}>`, ...inner, `${indent}</${name}>`];
}

/** A document; an element holds either texts or elements. The same elements give the same bytes. */
export function renderXml(root: XmlElement): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${lines(root, '').join('\n')}\n`;
}
