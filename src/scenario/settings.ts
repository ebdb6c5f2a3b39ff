import { DrillError } from '../core/errors.ts';
import { suggest } from './suggest.ts';
import { InvalidInput, parseSource, withValue, type Source } from './source.ts';
import { planTarget, type TargetInput } from './target-planner.ts';

/** A changed setting of a target's model: its name, such as `lb.interval`, its value in the file (undefined: absent), and its new value. */
export interface ChangedSetting {
  readonly name: string;
  readonly before: unknown;
  readonly after: unknown;
}

/**
 * Applies `--set model.name=value` settings, keyed by `model.name`, to a target. The target is then planned as if its
 * file had these values.
 * @throws InvalidInput if the target file is invalid; DrillError `invalid-input` if it cannot have a setting
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
      // The file is valid, so the mistake is in the setting, not at a place in the file.
      throw refused(name, text, error.problems.map(({ message }) => message).join('; '));
    }
  }
  return { target: { ...target, source }, changed };
}

/** The path of a setting in the file. Names of models may contain dots, so the longest match wins. */
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
        ? `--set ${name}: names a model but no setting; write ${name}.SETTING=VALUE`
        : `--set ${name}: ${source.path} has no model "${word}"${suggest(word, models)}`,
  );
}

/** Parses a value as YAML, as the file would: a duration stays text; numbers and lists get their types. */
function valueOf(name: string, text: string): unknown {
  try {
    return parseSource(`--set ${name}`, text).value;
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error;
    throw refused(name, text, 'the value is not valid YAML');
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
