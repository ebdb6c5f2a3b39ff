import { maxOffsetMs, maxRowNumber, maxWallMs } from './log-limits.ts';
import type { DurationMs, RunMs, WallMs } from './time.ts';

// One declaration of an object gives its TypeScript type (`ObjectOf`) and its check when it is read from a log
// (`wrongField`): the two cannot differ.

/** The kind of a field: its type, and the check of a value that was read. */
export interface Kind<T> {
  /** A valid value in words, for messages: `a string`. */
  readonly expected: string;
  readonly accepts: (value: unknown) => value is T;
  /** The fields of an object, if they are checked, too. */
  readonly fields?: readonly Field[];
  readonly isOptional?: boolean;
}

/** The kind of a field that may be missing. */
export interface OptionalKind<T> extends Kind<T> {
  readonly isOptional: true;
}

interface Field {
  readonly name: string;
  readonly kind: Kind<unknown>;
}

/** The fields of an object by name. Unknown fields are ignored: newer versions may add them. */
export type Fields = Readonly<Record<string, Kind<unknown>>>;

type TypeOf<K> = K extends Kind<infer T> ? T : never;
type OptionalNames<F> = { [N in keyof F]: F[N] extends OptionalKind<unknown> ? N : never }[keyof F];
// Not `as` in a mapped type: the properties would lose their doc comments.
type RequiredFields<F, N extends keyof F> = { readonly [K in N]: TypeOf<F[K]> };
type OptionalFields<F, N extends keyof F> = { readonly [K in N]?: TypeOf<F[K]> };

/** The type of an object with these fields. */
export type ObjectOf<F> = RequiredFields<F, Exclude<keyof F, OptionalNames<F>>> &
  OptionalFields<F, OptionalNames<F>>;

function kind<T>(expected: string, accepts: (value: unknown) => boolean): Kind<T> {
  return { expected, accepts: accepts as (value: unknown) => value is T };
}

/** JSON allows numbers such as 1e300, which are not valid times. */
function numberFrom<T extends number = DurationMs>(from: number, to: number): Kind<T> {
  return kind(
    `a number from ${from} to ${to}`,
    (value) => typeof value === 'number' && value >= from && value <= to,
  );
}

export const text = kind<string>('a string', (value) => typeof value === 'string');

/** Text of type `T`: a name, or a word. A newer version may have added words. */
export const textOf = <T extends string>(): Kind<T> => text as Kind<T>;

export const texts = kind<readonly string[]>(
  'a list of strings',
  (value) => Array.isArray(value) && value.every((one) => typeof one === 'string'),
);

export const textsOf = <T extends string>(): Kind<readonly T[]> => texts as Kind<readonly T[]>;

export const flag = kind<boolean>('a boolean', (value) => typeof value === 'boolean');

/** A length of time. */
export const duration = numberFrom(0, maxOffsetMs);

/** A movement of a clock. */
export const signedDuration = numberFrom(-maxWallMs, maxWallMs);

/** A moment of the run. */
export const runTime = numberFrom<RunMs>(0, maxOffsetMs);

/** A moment that may be before the run. */
export const signedRunTime = numberFrom<RunMs>(-maxWallMs, maxWallMs);

export const wallTime = numberFrom<WallMs>(0, maxWallMs);

export const count = kind<number>(
  `a whole number from 0 to ${maxRowNumber}`,
  (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= maxRowNumber,
);

/** A measured number, such as a percentage; null: not read. */
export const reading = kind<number | null>(
  'a number or null',
  (value) => value === null || duration.accepts(value),
);

/** A value of type `T` that is not checked, and not missing. */
export const present = <T>(): Kind<T> => kind('present', (value) => value !== undefined);

/** One of these values, and no value of a newer version. */
export function oneOf<const T extends string | true>(...values: readonly T[]): Kind<T> {
  const among = new Set<unknown>(values);
  return kind(`one of ${values.join(', ')}`, (value) => among.has(value));
}

/** An object of type `T` whose content is checked elsewhere. */
export const record = <T>(): Kind<T> => kind('an object', isRecord);

/** An object with these fields. */
export function object<F extends Fields>(fields: F): Kind<ObjectOf<F>> {
  const list = Object.entries(fields).map(([name, kind]) => ({ name, kind }));
  const accepts = (value: unknown): boolean => {
    if (!isRecord(value)) return false;
    for (const field of list) if (!isValid(field, value[field.name])) return false;
    return true;
  };
  return { ...kind<ObjectOf<F>>('an object', accepts), fields: list };
}

export function list<T>(of: Kind<T>): Kind<readonly T[]> {
  return kind(
    'a list of valid entries',
    (value) => Array.isArray(value) && value.every((one) => of.accepts(one)),
  );
}

export function optional<T>(of: Kind<T>): OptionalKind<T> {
  return { ...of, isOptional: true };
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isValid({ kind }: Field, value: unknown): boolean {
  return value === undefined ? kind.isOptional === true : kind.accepts(value);
}

/** Describes the first wrong field: `"phases.tlsMs" should be a number from 0 to 10, is "x"`; undefined if there is none. */
export function wrongField(of: Kind<unknown>, value: unknown, path = ''): string | undefined {
  if (of.accepts(value)) return undefined;
  if (of.fields === undefined || !isRecord(value))
    return `"${path}" should be ${of.expected}, is ${shown(value)}`;
  const wrong = of.fields.find((field) => !isValid(field, value[field.name]));
  if (wrong === undefined) return undefined;
  const { name } = wrong;
  return wrongField(wrong.kind, value[name], path === '' ? name : `${path}.${name}`);
}

/** A found value as text for a message. */
export function shown(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === Infinity) return 'a number that is too large';
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
