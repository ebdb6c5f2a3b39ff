import { describe, expect, test } from 'vitest';
import { describeAnswer } from '../cloud/api-error.ts';
import { failureOf } from '../net/net-errors.ts';
import { html } from '../report/html/template.ts';
import { plain } from '../report/text.ts';
import { messageText } from './message-text.ts';
import { createRedactor } from './redact.ts';

const controls = ['\u0000', '\u0007', '\u001b', '\u007f', '\u0085', '\u009b', '\u2028', '\u2029'];
const invisibles = ['\u061c', '\u200b', '\u200e', '\u200f', '\u202a', '\u202e', '\u2066', '\u2069', '\ufeff'];

/** Each place that puts external text into a message or a page. */
const places: readonly [string, (text: string) => string][] = [
  ['a line of a terminal', (text) => messageText(text, 100)],
  ['text and Markdown of a report', plain],
  ['HTML of a report', (text) => html`${text}`.toString()],
  ['the message of a sample', (text) => JSON.stringify(failureOf(new Error(text)))],
  [
    'a message of the cloud',
    (text) =>
      describeAnswer({
        kind: 'answer',
        status: 409,
        headers: {},
        body: { conflict: { message: text } },
        text: '',
      }),
  ],
];

describe.each(places)('%s', (_, of) => {
  test.each(controls)('has no control character: %j', (character) => {
    expect(of(`a${character}b`)).toMatch(/a(?: |\\u[0-9a-f]{4})b/);
  });

  test.each(invisibles)(
    'has no character without width, and none that changes the text direction: %j',
    (character) => {
      expect(of(`a${character}b`)).toMatch(/a(?:\\u[0-9a-f]{4})?b/);
    },
  );
});

test('a secret with control characters is redacted in a message that replaces them by spaces', () => {
  for (const character of controls) {
    const secrets = createRedactor();
    const secret = `correct horse${character}battery staple`;
    secrets.add(secret);
    expect(secrets.text(plain(`password ${secret} refused`))).not.toContain('battery');
  }
});
