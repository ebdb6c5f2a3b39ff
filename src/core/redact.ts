import { stripControlCharacters } from './control-characters.ts';

/** Takes secrets out of texts. Nobody has to say where one may turn up: whatever is written or printed goes through it. */
export interface Redactor {
  /** From now on, this is a secret. One shorter than `shortestSecret` is not looked for: it would be found everywhere. */
  add(secret: string): void;
  /** A text that is public although a secret may stand in it, such as the path of a file: it is left as it is. */
  keep(text: string): void;
  /** The text with `[secret]` for each secret in it, and for what is left of one that was cut off at its end. */
  text(text: string): string;
  /** A value with every text in it so, whatever holds it. */
  value<T>(value: T): T;
}

/** Characters. */
const shortestSecret = 4;
const stands = '[secret]';
/** As much of a secret at the end of a text is no chance, where texts are cut to a limit. */
const shortestRest = 4;

/** A redactor that knows no secret yet. */
export function createRedactor(): Redactor {
  let forms: readonly string[] = [];
  const kept = new Set<string>();
  let keptPattern: RegExp | undefined;
  const learn = (): void => {
    // Only a text that has a secret in it needs to be looked for; one that is a secret, or part of one, is none to keep.
    const texts = [...kept].filter(
      (text) => forms.some((form) => text.includes(form)) && !forms.some((form) => form.includes(text)),
    );
    keptPattern = texts.length === 0 ? undefined : wholeTexts(texts);
  };
  const masked = (given: string): string => {
    let clean = given;
    for (const form of forms) clean = clean.replaceAll(form, stands);
    return clean;
  };
  const text = (given: string): string => {
    const parts = keptPattern === undefined ? [given] : given.split(keptPattern);
    // Of a split by a pattern with a group, every second part is what matched.
    let clean = parts.map((part, i) => (i % 2 === 1 ? part : masked(part))).join('');
    if (parts.at(-1) === '') return clean;
    for (const form of forms) clean = withoutRest(clean, form);
    return clean;
  };
  const value = (given: unknown): unknown => {
    if (typeof given === 'string') return text(given);
    if (Array.isArray(given)) return given.map(value);
    if (typeof given !== 'object' || given === null) return given;
    return Object.fromEntries(Object.entries(given).map(([key, item]) => [text(key), value(item)]));
  };
  return {
    add(secret) {
      if (secret.length < shortestSecret) return;
      // The longest first: one may hold another.
      forms = [...new Set([...forms, ...formsOf(secret)])].sort((a, b) => b.length - a.length);
      learn();
    },
    keep(given) {
      if (kept.has(given)) return;
      kept.add(given);
      learn();
    },
    text,
    value: <T>(given: T): T => (forms.length === 0 ? given : (value(given) as T)),
  };
}

/** Any of these texts, as a group, where it is not part of a longer word or path. */
function wholeTexts(texts: readonly string[]): RegExp {
  const longestFirst = texts
    .toSorted((a, b) => b.length - a.length)
    .map((text) => text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`));
  return new RegExp(`(?<![\\w./-])(${longestFirst.join('|')})(?![\\w-]|\\.\\w)`);
}

/** How a secret may be written: as it is, in JSON, in a URL, in Base64 (HTTP's Basic), as one line of a message. */
function formsOf(secret: string): string[] {
  const bytes = new TextEncoder().encode(secret);
  const base64 = btoa(String.fromCharCode(...bytes));
  const lines = secret.split(/[\r\n]+/);
  const all = [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(toWellFormed(secret)),
    base64,
    base64.replace(/=+$/, ''),
    stripControlCharacters(secret).trim(),
    ...lines,
  ];
  return all.filter((form) => form.length >= shortestSecret);
}

/** Lone surrogates have no place in a URL. */
function toWellFormed(text: string): string {
  return text.replaceAll(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, '\uFFFD');
}

/** A text is cut to a limit (and may say so) wherever its target wrote too much: the beginning of a secret may be left. */
function withoutRest(text: string, secret: string): string {
  const end = text.endsWith('…') ? text.length - 1 : text.length;
  for (let length = Math.min(secret.length - 1, end); length >= shortestRest; length--) {
    if (text.endsWith(secret.slice(0, length), end))
      return `${text.slice(0, end - length)}${stands}${text.slice(end)}`;
  }
  return text;
}
