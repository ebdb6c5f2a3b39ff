import { z } from 'zod';
import { DrillError, messageOf } from '../core/errors.ts';
import type { ProbeContext } from '../core/probe.ts';

/** Sources of secrets. */
export type SecretPlaces = Pick<ProbeContext, 'readText' | 'env'>;

/** Error for a literal secret; it does not repeat the secret. */
const literalSecret = 'a secret must not be written here: use `{ file: … }` or `{ env: … }`';

/** Where a secret is stored; never the secret itself. */
export const secretRef = z.union(
  [
    z.strictObject({ file: z.string().min(1).describe('File with the secret.') }),
    z.strictObject({ env: z.string().min(1).describe('Environment variable with the secret.') }),
  ],
  { error: ({ input }) => (typeof input === 'object' ? undefined : literalSecret) },
);
export type SecretRef = z.output<typeof secretRef>;

/** Headers with which a client authenticates itself. */
const secretHeaders: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'proxy-authorization',
  'x-api-key',
  'x-auth-token',
]);

/** Request headers in addition to Host; secret values by reference. */
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
  .describe('Request headers in addition to Host. Write a secret value as `{ file: … }` or `{ env: … }`.');
export type Headers = z.output<typeof headers>;

/**
 * Reads a secret, without a file's last line end. `what` is for messages. @throws DrillError `invalid-input`
 */
export async function readSecret(ref: SecretRef, what: string, places: SecretPlaces): Promise<string> {
  if ('env' in ref) {
    const text = places.env(ref.env);
    if (text === undefined) {
      throw new DrillError('invalid-input', `the environment variable ${ref.env} is not set`, {
        hint: `Set ${ref.env} to ${what}.`,
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

/** Headers as they are sent, with lowercase names. @throws DrillError `invalid-input` for a missing secret */
export async function readHeaders(all: Headers, places: SecretPlaces): Promise<Record<string, string>> {
  const read = Object.entries(all).map(async ([name, value]) => [
    name.toLowerCase(),
    typeof value === 'string' ? value : await readSecret(value, `the header ${name}`, places),
  ]);
  return Object.fromEntries(await Promise.all(read)) as Record<string, string>;
}
