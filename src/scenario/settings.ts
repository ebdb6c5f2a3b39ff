import { DrillError } from '../core/errors.ts';
import { suggest } from './suggest.ts';
import { InvalidInput, parseSource, withValue, type Source } from './source.ts';
import { planTarget, type TargetInput } from './target-planner.ts';

/** A setting of a target's models that was changed: `lb.interval`, as the file has it (undefined: not at all) and as it is now. */
export interface ChangedSetting {
  readonly name: string;
  readonly before: unknown;
  readonly after: unknown;
}

/**
 * A target with other settings of its models, as `--set model.name=value` gives them by
 * `model.name`: what follows from them is worked out as if the file said so.
 * @throws InvalidInput when the target itself is wrong, DrillError `invalid-input` for a setting that it cannot have
 */
export function withSettings(
  target: TargetInput,
  settings: Readonly<Record<string, string>>,
): { readonly target: TargetInput; readonly changed: readonly ChangedSetting[] } {
  planTarget(target);
  let { source } = target;
  const changed: ChangedSetting[] = [];
  for (const [name, text] of Object.entries(settings)) {
    const path = pathOf(name, source);
    const after = valueOf(name, text);
    changed.push({ name, before: valueAt(source.value, path), after });
    source = withValue(source, replaced(source.value, path, after));
    const made = { ...target, source };
    try {
      planTarget(made);
    } catch (error) {
      if (!(error instanceof InvalidInput)) throw error;
      // The file is right; what it says is not where the mistake is.
      throw refused(name, text, error.problems.map(({ message }) => message).join('; '));
    }
  }
  return { target: { ...target, source }, changed };
}

/** Where a setting stands: the names of models may have dots, too. */
function pathOf(name: string, source: Source): readonly string[] {
  const models = Object.keys(Object(valueAt(source.value, ['models'])));
  const model = models
    .filter((candidate) => name.startsWith(`${candidate}.`))
    .sort((a, b) => b.length - a.length)[0];
  if (model !== undefined) return ['models', model, ...name.slice(model.length + 1).split('.')];
  const word = name.replace(/\..*$/, '');
  throw new DrillError(
    'invalid-input',
    models.length === 0
      ? `--set ${name}: ${source.path} has no models`
      : models.includes(name)
        ? `--set ${name}: say which setting of the model: ${name}.SETTING=VALUE`
        : `--set ${name}: ${source.path} has no model "${word}"${suggest(word, models)}`,
  );
}

/** A value as the file would have it: a duration stays text, a number becomes one, a list is a list. */
function valueOf(name: string, text: string): unknown {
  try {
    return parseSource(`--set ${name}`, text).value;
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error;
    throw refused(name, text, 'not a value as YAML has them');
  }
}

function refused(name: string, text: string, why: string): DrillError {
  return new DrillError('invalid-input', `--set ${name}=${text}: ${why}`);
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (Object.hasOwn(Object(inner), key) ? Reflect.get(Object(inner), key) : undefined),
    value,
  );
}

function replaced(value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown {
  if (key === undefined) return by;
  const map = typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
  return { ...map, [key]: replaced(valueAt(map, [key]), rest, by) };
}
