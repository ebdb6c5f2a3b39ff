import { DrillError } from '../core/errors.ts';
import { suggest } from '../scenario/suggest.ts';

/** Options of each function of the API, with what a value must be. */
const known = {
  plan: { target: 'any', set: 'any', allProbes: 'any', seed: 'any' },
  report: { write: 'any' },
  drill: {
    target: 'any',
    set: 'any',
    allProbes: 'any',
    seed: 'any',
    out: 'any',
    label: 'any',
    allowProduction: 'any',
    confirm: 'any',
    signal: 'signal',
    onEvent: 'function',
    onProgress: 'function',
  },
} as const;

/**
 * Checks the options of a caller without TypeScript, before anything is read: a misspelled `target` must not drill the target
 * that the scenario names.
 * @throws DrillError `invalid-input`
 */
export function checkOptions(api: keyof typeof known, options: unknown): void {
  const refuse = (why: string): DrillError => new DrillError('invalid-input', `${api}: ${why}`);
  if (typeof options !== 'object' || options === null) throw refuse('the options are not an object');
  const kinds: Readonly<Record<string, string>> = known[api];
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(kinds, name))
      throw refuse(`unknown option "${name}"${suggest(name, Object.keys(kinds))}`);
    if (value === undefined) continue;
    if (kinds[name] === 'function' && typeof value !== 'function')
      throw refuse(`\`${name}\` is not a function`);
    // A signal of another realm, such as that of a test runner, is none of this `AbortSignal`.
    if (kinds[name] === 'signal' && typeof Reflect.get(Object(value), 'throwIfAborted') !== 'function')
      throw refuse(`\`${name}\` is not an AbortSignal`);
  }
}
