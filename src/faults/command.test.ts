import { describe, expect, test } from 'vitest';
import { command } from './command.ts';
import { faultContext } from './testing/fault-context.ts';
import { scriptedHost } from './testing/scripted-host.ts';

const parse = (fields: object = {}) => command.params.parse({ run: ['touch', '/x'], ...fields });
const whole = { undo: ['rm', '/x'], effect: ['test', '-e', '/x'], undone: ['test', '!', '-e', '/x'] };
const host = (exitCodes: Readonly<Record<string, number>> = {}) =>
  scriptedHost((argv) => ({ exitCode: exitCodes[argv.join(' ')] ?? 0 }));

describe('command', () => {
  test('runs the argv without a shell', async () => {
    const seen: (readonly string[])[] = [];
    const ctx = faultContext({
      ...host(),
      exec: (argv, options) => {
        seen.push(argv);
        expect(options.timeoutMs).toBe(5000);
        return Promise.resolve({ exitCode: 0, stdout: '', stderr: '' });
      },
    });
    await command.inject(parse({ run: ['echo', '$HOME; ls'], timeout: '5s' }), null, ctx);
    expect(seen).toEqual([['echo', '$HOME; ls']]);
  });

  test('fails with the last line of the command’s output', async () => {
    const ctx = faultContext(scriptedHost(() => ({ exitCode: 2, stderr: 'usage\nno such file\n' })));
    await expect(command.inject(parse(), null, ctx)).rejects.toMatchObject({
      code: 'fault-failed',
      message: 'alpha: `touch /x` exited 2: no such file',
    });
  });

  test('is in effect when `effect` exits 0, or without `effect` when `run` has exited 0', async () => {
    await expect(command.effect(parse(), null, faultContext(host()))).resolves.toBe(true);
    const missing = faultContext(host({ 'test -e /x': 1 }));
    await expect(command.effect(parse(whole), null, missing)).resolves.toBe(false);
    await expect(command.effect(parse(whole), null, faultContext(host()))).resolves.toBe(true);
  });

  test('refuses a fault whose effect exists before it', async () => {
    await expect(command.before(parse(whole), faultContext(host()))).rejects.toMatchObject({
      code: 'fault-failed',
    });
    await expect(command.before(parse(whole), faultContext(host({ 'test -e /x': 1 })))).resolves.toBeNull();
  });

  test('is healed at once without `undo`', async () => {
    const nothing = host();
    await expect(command.healed(parse(), null, faultContext(nothing))).resolves.toBe(true);
    await command.heal(parse(), null, faultContext(nothing));
    expect(nothing.commands).toEqual([]);
  });

  test('runs `undo` only if `undone` does not exit 0', async () => {
    const undone = host();
    await command.heal(parse(whole), null, faultContext(undone));
    expect(undone.commands).toEqual(['test ! -e /x']);
    const there = host({ 'test ! -e /x': 1 });
    await command.heal(parse(whole), null, faultContext(there));
    expect(there.commands).toEqual(['test ! -e /x', 'rm /x']);
    await expect(command.healed(parse(whole), null, faultContext(there))).resolves.toBe(false);
  });

  test('without `undone`, is healed by an `undo` that exited 0 in this heal', async () => {
    const p = parse({ undo: ['rm', '/x'] });
    const ctx = faultContext(host());
    await expect(command.healed(p, null, ctx)).resolves.toBe(false);
    await command.heal(p, null, ctx);
    await expect(command.healed(p, null, ctx)).resolves.toBe(true);
    const refused = faultContext(host({ 'rm /x': 1 }));
    await expect(command.heal(p, null, refused)).rejects.toMatchObject({ code: 'fault-failed' });
    await expect(command.healed(p, null, refused)).resolves.toBe(false);
  });

  test('shows commands with shell quoting', () => {
    const { inject, heal } = command.describe(parse({ run: ['sh', '-c', "echo 'a b'"] }));
    expect(inject).toBe(String.raw`sh -c 'echo '\''a b'\'''`);
    expect(heal).toBe('nothing');
  });
});
