import { DrillError } from '../../core/errors.ts';
import type { Host } from '../../core/host.ts';
import { isNoSuchContainer } from './docker-messages.ts';

/** The suffixes of unit names: systemd.unit(5). */
const unitSuffix = /\.(?:service|socket|device|mount|automount|swap|target|path|timer|slice|scope)$/;

/** The full name of a unit. As in `systemctl`, a name without a suffix is a service. */
export function unitName(text: string): string {
  return unitSuffix.test(text) ? text : `${text}.service`;
}

/** Names by which a journal is filtered. */
export interface JournalNames {
  readonly unit?: string | undefined;
  readonly containers?: readonly string[] | undefined;
}

const checkTimeoutMs = 5000;

// Prints one line per name: whether the journal has lines from it, and its state in systemd or its log driver
// in the engine. journalctl reads the values of a field from the journal's index.
const script = `
export LC_ALL=C
known() { journalctl --no-pager --field="$1" 2>/dev/null | grep -qxF -e "$2" && echo logged || echo unlogged; }
echo names-begin
unit=$1; shift
if [ -n "$unit" ]; then
  state=$(systemctl show --property=LoadState -- "$unit" 2>/dev/null) || state=
  echo "unit $(known _SYSTEMD_UNIT "$unit") \${state#LoadState=}"
fi
for name; do
  driver=$(docker container inspect --format '{{.HostConfig.LogConfig.Type}}' -- "$name" 2>&1) || driver="error $driver"
  echo "container $(known CONTAINER_NAME "$name") $driver" | head -n 1
done
echo names-end`;

/**
 * The problems of the names, one text each: the name does not exist on the host, or does not log to its
 * journal. A name that could not be checked is not a problem.
 * @throws DrillError `host-unreachable`
 */
export async function wrongNames(
  { unit = '', containers = [] }: JournalNames,
  host: Host,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const all = [...(unit === '' ? [] : [unit]), ...containers];
  if (all.length === 0) return [];
  const argv = ['sh', '-c', script, 'journal', unit, ...containers];
  const { stdout } = await host.exec(argv, { timeoutMs: checkTimeoutMs, signal, attempt: true });
  const said = /^names-begin\n([^]*)^names-end$/m.exec(stdout)?.[1]?.trimEnd().split('\n') ?? [];
  return all.flatMap((name, i) => wrongIn(said[i] ?? '', name, host.name) ?? []);
}

function wrongIn(line: string, name: string, host: string): string | undefined {
  const [, what, logged, said = ''] = /^(unit|container) (logged|unlogged) ?(.*)$/.exec(line) ?? [];
  if (what === 'container' && /^[a-z0-9-]+$/.test(said) && said !== 'journald')
    return `container ${name} on ${host} logs with the driver ${said}, not to the journal`;
  if (logged === 'logged') return undefined;
  if (what === 'unit' && said === 'not-found') return `${host} has no unit ${name}`;
  if (what === 'container' && isNoSuchContainer(said))
    return `${host} has no container ${name}, and its journal has no line from it`;
  return undefined;
}

/** Refuses names that match nothing. Ignores a host that is unreachable now. @throws DrillError `invalid-input` */
export async function requireNames(names: JournalNames, host: Host, signal: AbortSignal): Promise<void> {
  const [wrong] = await wrongNames(names, host, signal).catch(() => []);
  if (wrong === undefined) return;
  throw new DrillError('invalid-input', wrong, {
    hint: wrong.includes('logs with the driver')
      ? 'Use a probe of kind container-log, or set the container’s log driver to journald.'
      : `Correct the name. On ${host.name}, \`systemctl list-units --all\` lists units, and \`docker ps --all\` lists containers.`,
  });
}
