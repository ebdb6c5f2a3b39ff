import { z } from 'zod';

/**
 * The union of all kinds of a catalog, discriminated by `kind`, each with the common fields. A new kind needs only its
 * line in the catalog.
 */
export function kindUnion<Fields extends z.ZodRawShape>(
  kinds: readonly { readonly kind: string; readonly summary: string; readonly params: z.ZodType }[],
  fields: Fields,
) {
  const options: Kind<Fields>[] = kinds.map(({ kind, summary, params }) =>
    extendKind(kind, params, { kind: z.literal(kind).describe(summary), ...fields }),
  );
  const [first, ...rest] = options;
  if (first === undefined) throw new Error('the catalog is empty');
  return z.discriminatedUnion('kind', [first, ...rest]);
}

/** The parameters of a kind, with the fields that every kind has. @throws Error if the kind has one of them itself */
export function extendKind<Fields extends z.ZodRawShape>(kind: string, params: z.ZodType, fields: Fields) {
  // The params in the catalogs are strict objects, but their type there is only `z.ZodType`.
  const object = params as unknown as z.ZodObject;
  const taken = Object.keys(fields).find((name) => name in object.shape);
  if (taken !== undefined) throw new Error(`kind ${kind}: a field named "${taken}" exists for every kind`);
  return object.extend(fields);
}

type Kind<Fields extends z.ZodRawShape> = z.ZodObject<
  { kind: z.ZodLiteral<string> } & Fields,
  { in: Record<string, unknown>; out: Record<string, unknown> }
>;
