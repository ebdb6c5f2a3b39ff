import { z } from 'zod';

/**
 * The union of all kinds of a catalog, told apart by `kind`, each with the
 * fields common to all: so a new kind needs its catalog line and nothing here.
 */
export function kindUnion<Fields extends z.ZodRawShape>(
  kinds: readonly { readonly kind: string; readonly summary: string; readonly params: z.ZodType }[],
  fields: Fields,
) {
  const options: Kind<Fields>[] = kinds.map(({ kind, summary, params }) => {
    // The catalogs' params are strict objects whose types were erased; this is their edge.
    const object = params as unknown as z.ZodObject;
    const taken = Object.keys(fields).find((name) => name in object.shape);
    if (taken !== undefined) throw new Error(`kind ${kind}: a field named "${taken}" exists for every kind`);
    return object.extend({ kind: z.literal(kind).describe(summary), ...fields });
  });
  const [first, ...rest] = options;
  if (first === undefined) throw new Error('the catalog is empty');
  return z.discriminatedUnion('kind', [first, ...rest]);
}

type Kind<Fields extends z.ZodRawShape> = z.ZodObject<
  { kind: z.ZodLiteral<string> } & Fields,
  { in: Record<string, unknown>; out: Record<string, unknown> }
>;
