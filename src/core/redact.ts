import { stripControlCharacters } from './control-characters.ts';

/** Removes secrets from texts. Everything that firedrill writes or prints goes through it. */
export interface Redactor {
  /**
   * Adds a secret. Secrets shorter than `shortestSecret` are ignored, because they would match everywhere.
   */
  add(secret: string): void;
  /** Adds a public text that may contain a secret, such as a file path: it stays unchanged. */
  keep(text: string): void;
  /** The text with `[secret]` in place of each secret, and of a truncated secret at its end. */
  text(text: string): string;
  /** A copy of the value with every text redacted, at any depth. */
  value<T>(value: T): T;
}

/** Characters; shorter secrets would match everywhere. */
const shortestSecret = 4;
const stands = '[secret]';
/**
 * Texts are truncated, so a secret may be cut at the end of a text. A rest of at least this many characters
 * is redacted; a shorter match may be a coincidence.
 */
const shortestRest = 4;

/** Creates a redactor without secrets. */
export function createRedactor(): Redactor {
  let forms: readonly string[] = [];
  const kept = new Set<string>();
  let keptPattern: RegExp | undefined;
  const learn = (): void => {
    // Only texts that contain a secret need this exception. A text that is itself a secret, or part of one,
    // gets none.
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
    // split() with a group returns the matches at the odd indexes.
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
      // The longest first, because one may contain another.
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

/** Matches any of these texts, as a group, unless it is part of a longer word or path. */
function wholeTexts(texts: readonly string[]): RegExp {
  const longestFirst = texts
    .toSorted((a, b) => b.length - a.length)
    .map((text) => text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`));
  return new RegExp(`(?<![\\w./-])(${longestFirst.join('|')})(?![\\w-]|\\.\\w)`);
}

/** Encodings of a secret: plain, JSON, URL, Base64 (HTTP Basic), and one line of a message. */
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

/** Replaces lone surrogates, which encodeURIComponent() rejects. */
function toWellFormed(text: string): string {
  return text.replaceAll(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, '\uFFFD');
}

/** Redacts the beginning of a secret at the end of a truncated text, also before its `…`. */
function withoutRest(text: string, secret: string): string {
  const end = text.endsWith('…') ? text.length - 1 : text.length;
  for (let length = Math.min(secret.length - 1, end); length >= shortestRest; length--) {
    if (text.endsWith(secret.slice(0, length), end))
      return `${text.slice(0, end - length)}${stands}${text.slice(end)}`;
  }
  return text;
}
