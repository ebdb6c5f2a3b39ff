/** Fields of scenario and target files that firedrill 0.2.0 renamed. */
const fields: ReadonlyMap<string, string> = new Map([['tell', 'value']]);

/** Values that firedrill 0.2.0 renamed, by field: in files, and in the checks of logs of schema version 1. */
const values: ReadonlyMap<string, ReadonlyMap<unknown, string>> = new Map([
  ['kind', new Map([['announced', 'delivered']])],
  [
    'state',
    new Map([
      ['nobody', 'none'],
      ['several', 'multiple'],
    ]),
  ],
  // vocabulary: "unasked" the value in 0.1.0
  ['are', new Map([['unasked', 'phantom']])],
]);

/** The new name of a field, if `known` (the fields that its map accepts) has it; undefined if the field was not renamed. */
export function renamedField(field: string, known: readonly string[]): string | undefined {
  const now = fields.get(field);
  return now !== undefined && known.includes(now) ? now : undefined;
}

/** The new name of a field's value; undefined if the value was not renamed. */
export function renamedValue(field: string, value: unknown): string | undefined {
  return values.get(field)?.get(value);
}
