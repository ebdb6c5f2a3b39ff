import { z } from 'zod';
import { DrillError, messageOf } from '../core/errors.ts';
import type { ProbeContext } from '../core/probe.ts';

/** What finding a secret may use. */
export type SecretPlaces = Pick<ProbeContext, 'readText' | 'env'>;

/** Told of a literal, which is not repeated. */
const literalSecret = 'a secret does not belong in a file: use `{ file: … }` or `{ env: … }`';

/** Where a secret is; never the secret itself. */
export const secretRef = z.union(
  [
    z.strictObject({ file: z.string().min(1).describe('File that holds the secret.') }),
    z.strictObject({ env: z.string().min(1).describe('Environment variable that holds the secret.') }),
  ],
  { error: ({ input }) => (typeof input === 'object' ? undefined : literalSecret) },
);
export type SecretRef = z.output<typeof secretRef>;

/** Headers by which a client shows who it is. */
const secretHeaders: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'proxy-authorization',
  'x-api-key',
  'x-auth-token',
]);

/** Headers to send besides Host; those that hold a secret by reference. */
export const headers = z
  .record(
    z.string(),
    z.union([z.string(), secretRef], { error: 'expected a text, { file: … } or { env: … }' }),
  )
  .superRefine((all, ctx) => {
    for (const [name, value] of Object.entries(all)) {
      if (typeof value !== 'string' || !secretHeaders.has(name.toLowerCase())) continue;
      ctx.addIssue({ code: 'custom', path: [name], message: literalSecret });
    }
  })
  .default({})
  .describe(
    'Headers to send besides Host. One that holds a secret has `{ file: … }` or `{ env: … }` as its value.',
  );
export type Headers = z.output<typeof headers>;

/** The secret; a file's last line end is none of it. `what` is for messages. @throws DrillError `invalid-input` */
export async function readSecret(ref: SecretRef, what: string, places: SecretPlaces): Promise<string> {
  if ('env' in ref) {
    const text = places.env(ref.env);
    if (text === undefined) {
      throw new DrillError('invalid-input', `the environment variable ${ref.env} is not set`, {
        mend: `Put ${what} into it.`,
      });
    }
    return text;
  }
  try {
    return (await places.readText(ref.file)).replace(/\r?\n$/, '');
  } catch (error) {
    throw new DrillError('invalid-input', `cannot read ${what} from its file: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Headers as they are sent, names in small letters. @throws DrillError `invalid-input` for a secret that is not there */
export async function readHeaders(all: Headers, places: SecretPlaces): Promise<Record<string, string>> {
  const read = Object.entries(all).map(async ([name, value]) => [
    name.toLowerCase(),
    typeof value === 'string' ? value : await readSecret(value, `the header ${name}`, places),
  ]);
  return Object.fromEntries(await Promise.all(read)) as Record<string, string>;
}
