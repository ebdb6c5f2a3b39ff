import { describe, expect, test } from 'vitest';
import {
  count,
  flag,
  list,
  object,
  oneOf,
  optional,
  present,
  reading,
  text,
  texts,
  duration,
  textOf,
  wrongField,
} from './field-kinds.ts';

const kind = object({
  id: text,
  sentMs: duration,
  tries: count,
  state: oneOf('up', 'down'),
  word: optional(textOf<'a' | 'b'>()),
  refused: optional(oneOf(true)),
  names: optional(texts),
  load: optional(reading),
  params: present<unknown>(),
  phases: optional(object({ tlsMs: optional(duration), isNew: flag })),
  late: optional(list(object({ host: text }))),
});

const valid = { id: 'x', sentMs: 0.5, tries: 3, state: 'up', params: null };

describe('the fields of an object', () => {
  test.each([
    {},
    { word: 'of-tomorrow', unknown: [1] },
    { refused: true, names: [], load: null, params: { a: [] } },
    { phases: { isNew: false }, late: [{ host: 'a' }, { host: 'b' }] },
  ])('are valid with %o', (more) => {
    expect(wrongField(kind, { ...valid, ...more })).toBeUndefined();
  });

  test.each([
    [{ id: undefined }, '"id" should be a string, is missing'],
    [{ sentMs: 1e300 }, '"sentMs" should be a number from 0 to 100000000000, is 1e+300'],
    [
      { tries: Infinity },
      '"tries" should be a whole number from 0 to 1000000000000, is a number that is too large',
    ],
    [{ tries: 1.5 }, '"tries" should be a whole number from 0 to 1000000000000, is 1.5'],
    [{ state: 'gone' }, '"state" should be one of up, down, is "gone"'],
    [{ word: 7 }, '"word" should be a string, is 7'],
    [{ refused: false }, '"refused" should be one of true, is false'],
    [{ names: ['a', 1] }, '"names" should be a list of strings, is ["a",1]'],
    [{ load: 'high' }, '"load" should be a number or null, is "high"'],
    [{ params: undefined }, '"params" should be present, is missing'],
    [{ phases: [] }, '"phases" should be an object, is []'],
    [
      { phases: { tlsMs: -1, isNew: true } },
      '"phases.tlsMs" should be a number from 0 to 100000000000, is -1',
    ],
    [{ phases: {} }, '"phases.isNew" should be a boolean, is missing'],
    [{ late: [{ host: 'a' }, {}] }, '"late" should be a list of valid entries, is [{"host":"a"},{}]'],
    [
      { id: 'a'.repeat(99), state: 'y'.repeat(99) },
      `"state" should be one of up, down, is "${'y'.repeat(39)}…`,
    ],
  ])('are refused with %o', (more, message) => {
    expect(wrongField(kind, { ...valid, ...more })).toBe(message);
  });
});
