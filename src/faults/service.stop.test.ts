import { describe, expect, test } from 'vitest';
import { serviceStop } from './service.stop.ts';
import { faultContext } from './testing/fault-context.ts';
import { scriptedHost } from './testing/scripted-host.ts';

/** A host whose units are in these states. Its docker.socket starts the Docker engine. */
function host(states: Readonly<Record<string, string>>) {
  return scriptedHost((argv) => {
    if (argv[1] !== 'show') return {};
    const paragraphs = argv.slice(argv.indexOf('--') + 1).map((unit) => {
      const state = states[unit];
      const triggeredBy = unit === 'docker.service' ? 'docker.socket' : '';
      return `TriggeredBy=${triggeredBy}\nLoadState=${state === undefined ? 'not-found' : 'loaded'}\nActiveState=${state ?? 'inactive'}\n`;
    });
    return { stdout: paragraphs.join('\n') };
  });
}

const parse = (...units: readonly string[]) => serviceStop.params.parse({ units });
const acting = (commands: readonly string[]) => commands.filter((line) => !line.startsWith('systemctl show'));

describe('service.stop', () => {
  test('stops all units in one command', async () => {
    const engine = host({});
    await serviceStop.inject(parse('docker.socket', 'docker.service'), { active: [] }, faultContext(engine));
    expect(engine.commands).toEqual(['systemctl stop docker.socket docker.service']);
  });

  test('records which units were active', async () => {
    const ctx = faultContext(host({ 'a.service': 'active', 'b.timer': 'inactive', 'c.service': 'failed' }));
    await expect(serviceStop.before(parse('a.service', 'b.timer', 'c.service'), ctx)).resolves.toEqual({
      active: ['a.service'],
    });
  });

  test('in a plain container: names faults that need no systemd', async () => {
    const container = { name: 'shop-web-1', inspect: () => Promise.reject(new Error('not asked')) };
    const bare = scriptedHost(() => ({ exitCode: 127, stderr: 'sh: systemctl: not found' }));
    await expect(
      serviceStop.before(parse('nginx.service'), faultContext({ ...bare, container })),
    ).rejects.toMatchObject({
      code: 'fault-failed',
      hint: 'A plain container runs no systemd. Use container.stop, container.restart, or process.kill on a host with `transport: local`, with `container: shop-web-1`.',
    });
  });

  test.each([
    ['no such unit', ['x.service'], 'alpha: no systemd unit x.service'],
    ['nothing to stop', ['b.timer'], 'alpha: cannot stop b.timer: no unit is active'],
    [
      'a unit that a socket would start again',
      ['docker.service'],
      'alpha: cannot keep docker.service stopped: docker.socket would start it again',
    ],
  ])('refuses %s', async (_name, units, message) => {
    const ctx = faultContext(
      host({ 'b.timer': 'inactive', 'docker.service': 'active', 'docker.socket': 'active' }),
    );
    await expect(serviceStop.before(parse(...units), ctx)).rejects.toMatchObject({
      code: 'fault-failed',
      message,
    });
  });

  test('stops a unit together with its trigger, and a unit whose trigger is inactive', async () => {
    const awake = faultContext(host({ 'docker.service': 'active', 'docker.socket': 'active' }));
    await expect(serviceStop.before(parse('docker.service', 'docker.socket'), awake)).resolves.toBeDefined();
    const asleep = faultContext(host({ 'docker.service': 'active', 'docker.socket': 'inactive' }));
    await expect(serviceStop.before(parse('docker.service'), asleep)).resolves.toBeDefined();
  });

  test('is in effect when no unit is active', async () => {
    const p = parse('a.service', 'b.service');
    const before = { active: ['a.service'] };
    const half = faultContext(host({ 'a.service': 'inactive', 'b.service': 'activating' }));
    await expect(serviceStop.effect(p, before, half)).resolves.toBe(false);
    const stopped = faultContext(host({ 'a.service': 'inactive', 'b.service': 'failed' }));
    await expect(serviceStop.effect(p, before, stopped)).resolves.toBe(true);
  });

  test('starts only units that were active and are not active now', async () => {
    const p = parse('a.service', 'b.service', 'c.service');
    const before = { active: ['a.service', 'b.service'] };
    const half = host({ 'a.service': 'active', 'b.service': 'inactive', 'c.service': 'inactive' });
    await expect(serviceStop.healed(p, before, faultContext(half))).resolves.toBe(false);
    await serviceStop.heal(p, before, faultContext(half));
    expect(acting(half.commands)).toEqual(['systemctl start b.service']);
    const back = host({ 'a.service': 'active', 'b.service': 'active', 'c.service': 'inactive' });
    await expect(serviceStop.healed(p, before, faultContext(back))).resolves.toBe(true);
    await serviceStop.heal(p, before, faultContext(back));
    expect(acting(back.commands)).toEqual([]);
  });

  test('accepts only units with their suffix', () => {
    expect(serviceStop.params.safeParse({ units: ['nginx'] }).success).toBe(false);
    expect(serviceStop.params.safeParse({ units: ['--now.service'] }).success).toBe(false);
    expect(serviceStop.params.safeParse({ units: ['getty@tty1.service'] }).success).toBe(true);
  });
});
