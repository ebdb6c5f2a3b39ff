import { describe, expect, test } from 'vitest';
import { serviceRestart } from './service.restart.ts';
import { faultContext } from './testing/fault-context.ts';
import { scriptedHost } from './testing/scripted-host.ts';

interface State {
  readonly state?: string;
  readonly canReload?: boolean;
  readonly invocation?: string;
  readonly changedAt?: string;
}

/** A host with these units and no others. */
function host(units: Readonly<Record<string, State>>) {
  return scriptedHost((argv) => {
    if (argv[1] !== 'show') return {};
    const paragraphs = argv.slice(argv.indexOf('--') + 1).map((name) => {
      const unit = units[name];
      return [
        `CanReload=${unit?.canReload === true ? 'yes' : 'no'}`,
        'TriggeredBy=',
        `LoadState=${unit === undefined ? 'not-found' : 'loaded'}`,
        `ActiveState=${unit?.state ?? 'active'}`,
        `StateChangeTimestampMonotonic=${unit?.changedAt ?? '100'}`,
        `InvocationID=${unit?.invocation ?? 'aa'}`,
        '',
      ].join('\n');
    });
    return { stdout: paragraphs.join('\n') };
  });
}

const parse = (fields: object) => serviceRestart.params.parse(fields);
const [web, db] = ['web.service', 'db.service'];
const restart = parse({ units: [web, db] });
const reload = parse({ units: [web], action: 'reload' });
const acting = (commands: readonly string[]) => commands.filter((line) => !line.startsWith('systemctl show'));

describe('service.restart', () => {
  test('restarts or reloads all units in one command', async () => {
    const linux = host({});
    await serviceRestart.inject(restart, { stamps: [] }, faultContext(linux));
    await serviceRestart.inject(reload, { stamps: [] }, faultContext(linux));
    expect(linux.commands).toEqual([
      'systemctl restart web.service db.service',
      'systemctl reload web.service',
    ]);
  });

  test.each([
    ['no such unit', restart, { [web]: {} }, 'alpha: no systemd unit db.service'],
    [
      'an inactive unit',
      restart,
      { [web]: {}, [db]: { state: 'failed' } },
      'alpha: cannot restart db.service: it is not active',
    ],
    [
      'a unit without a reload command',
      reload,
      { [web]: {} },
      'alpha: cannot reload web.service: the unit has no reload command',
    ],
  ])('refuses %s', async (_name, params, units, message) => {
    await expect(serviceRestart.before(params, faultContext(host(units)))).rejects.toMatchObject({
      code: 'fault-failed',
      message,
    });
  });

  test('is in effect when every unit has started again', async () => {
    const before = await serviceRestart.before(restart, faultContext(host({ [web]: {}, [db]: {} })));
    const record = (units: Record<string, State>) =>
      serviceRestart.effect(restart, before, faultContext(host(units)));
    await expect(record({ [web]: { invocation: 'bb' }, [db]: {} })).resolves.toBe(false);
    // A reload of the unit is not a restart.
    await expect(record({ [web]: { changedAt: '200' }, [db]: { changedAt: '200' } })).resolves.toBe(false);
    await expect(record({ [web]: { invocation: 'bb' }, [db]: { invocation: 'cc' } })).resolves.toBe(true);
  });

  test('is in effect after a reload, although the invocation ID stays the same', async () => {
    const before = await serviceRestart.before(reload, faultContext(host({ [web]: { canReload: true } })));
    const record = (unit: State) =>
      serviceRestart.effect(reload, before, faultContext(host({ [web]: unit })));
    await expect(record({})).resolves.toBe(false);
    await expect(record({ changedAt: '200' })).resolves.toBe(true);
  });

  test('leaves active units alone and starts inactive ones', async () => {
    const back = host({ [web]: {}, [db]: { state: 'reloading' } });
    await expect(serviceRestart.healed(restart, { stamps: [] }, faultContext(back))).resolves.toBe(true);
    await serviceRestart.heal(restart, { stamps: [] }, faultContext(back));
    expect(acting(back.commands)).toEqual([]);
    const half = host({ [web]: {}, [db]: { state: 'failed' } });
    await expect(serviceRestart.healed(restart, { stamps: [] }, faultContext(half))).resolves.toBe(false);
    await serviceRestart.heal(restart, { stamps: [] }, faultContext(half));
    expect(acting(half.commands)).toEqual(['systemctl start db.service']);
  });
});
