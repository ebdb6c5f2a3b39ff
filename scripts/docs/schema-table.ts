/** The parts of a JSON Schema that the reference uses. */
export interface Shape {
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Shape | boolean;
  readonly items?: Shape;
  readonly anyOf?: readonly Shape[];
  readonly oneOf?: readonly Shape[];
}

/** One line of a table of fields. */
interface Row {
  readonly field: string;
  readonly type: string;
  readonly fallback: string;
  readonly about: string;
}

/** A Markdown table of the fields of a map and its nested maps. `skip` excludes fields of other tables. */
export function fieldTable(shape: Shape, skip: (field: string) => boolean = () => false): string {
  const rows = rowsOf(shape, '', skip);
  if (rows.length === 0) return 'No fields of its own.\n';
  const lines = rows.map(
    ({ field, type, fallback, about }) => `| \`${field}\` | ${type} | ${fallback} | ${cell(about)} |`,
  );
  return ['| field | type | default | description |', '| --- | --- | --- | --- |', ...lines, ''].join('\n');
}

function rowsOf(shape: Shape, prefix: string, skip: (field: string) => boolean): Row[] {
  return Object.entries(shape.properties ?? {}).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    if (skip(path)) return [];
    const required = shape.required?.includes(name) === true;
    const row = {
      field: path,
      type: typeOf(field),
      fallback: required ? 'required' : defaultOf(field),
      about: field.description ?? '',
    };
    return [row, ...innerRows(field, path, skip)];
  });
}

/** Fields within a field: of a map, of list entries, or of values under any name; for alternatives, the fields of each. */
function innerRows(field: Shape, path: string, skip: (field: string) => boolean): Row[] {
  if (skip(`${path}.*`)) return [];
  const branches = field.anyOf ?? field.oneOf ?? [field];
  const perBranch = branches.map((branch) => {
    if (branch.properties !== undefined) return rowsOf(branch, `${path}.`, skip);
    if (branch.items !== undefined) return innerRows(branch.items, `${path}[]`, skip);
    if (typeof branch.additionalProperties === 'object')
      return innerRows(branch.additionalProperties, `${path}.NAME`, skip);
    return [];
  });
  return merged(perBranch.filter((rows) => rows.length > 0));
}

/** Merges the rows of alternatives. A field is required only if all alternatives have it. */
function merged(alternatives: readonly (readonly Row[])[]): Row[] {
  const fields = [...new Set(alternatives.flatMap((rows) => rows.map(({ field }) => field)))];
  return fields.flatMap((field) => {
    const rows = alternatives.flatMap((list) => list.filter((row) => row.field === field));
    const [first] = rows;
    if (first === undefined) return [];
    const always = rows.length === alternatives.length;
    return [
      {
        field,
        type: unique(rows.map(({ type }) => type)),
        fallback: first.fallback === 'required' && !always ? '' : first.fallback,
        about: [...new Set(rows.map(({ about }) => about))].join(' '),
      },
    ];
  });
}

function unique(words: readonly string[]): string {
  return [...new Set(words.flatMap((word) => word.split(' or ')))].join(' or ');
}

/** The type of a value, in words. */
function typeOf(shape: Shape): string {
  if (shape.const !== undefined) return code(shape.const);
  if (shape.enum !== undefined) return shape.enum.map(code).join(' or ');
  const branches = shape.anyOf ?? shape.oneOf;
  if (branches !== undefined) return [...new Set(branches.map(typeOf))].join(' or ');
  if (Array.isArray(shape.type)) return shape.type.map((type: string) => typeOf({ type })).join(' or ');
  switch (shape.type) {
    case 'array':
      return `list of ${shape.items === undefined ? 'anything' : typeOf(shape.items)}`;
    case 'object':
      return typeof shape.additionalProperties === 'object'
        ? `map of ${typeOf(shape.additionalProperties)}`
        : 'map';
    case 'integer':
    case 'number':
      return `${shape.type === 'integer' ? 'whole number' : 'number'}${rangeOf(shape)}`;
    case 'boolean':
      return 'true or false';
    case 'string':
      return shape.pattern?.includes('(ms|s|m|h)') === true ? 'duration' : 'text';
    default:
      return 'anything';
  }
}

/** The range of a number, without zod's implicit bounds of safe integers. */
function rangeOf({ minimum, maximum }: Shape): string {
  const min = minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER ? undefined : minimum;
  const max = maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? undefined : maximum;
  if (min === undefined) return max === undefined ? '' : ` up to ${max}`;
  return max === undefined ? ` from ${min}` : ` from ${min} to ${max}`;
}

function defaultOf(shape: Shape): string {
  if (shape.default === undefined) return '';
  const empty = typeof shape.default === 'object' && JSON.stringify(shape.default).length === 2;
  return empty ? 'none' : code(shape.default);
}

function code(value: unknown): string {
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

/** Escapes the text of a cell. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
