import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from '../../../../src/core/host.ts';
import { createSystemClock } from '../../../../src/engine/system-clock.ts';
import { machines, machinesUp, traces } from '../machines.ts';

const clock = createSystemClock();

const composeOfStorm = `mkdir -p /opt/storm && cat >/opt/storm/compose.yaml <<'EOF'
services:
  storm:
    image: firedrill-test/socat:1
    pull_policy: never
    container_name: storm
    command: ['TCP-LISTEN:8006,fork,reuseaddr', PIPE]
EOF
docker compose --project-directory /opt/storm up --detach`;

/** Starts the machines, with a Compose project to take down. */
export async function stormUp(signal: AbortSignal): Promise<void> {
  await machinesUp(signal);
  await must(signal, machines.engine, 'bash', '-c', composeOfStorm);
}

/** Runs a command on a host and returns its stdout. @throws Error if it fails */
export async function must(signal: AbortSignal, host: Host, ...argv: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await host.exec(argv, { timeoutMs: 60_000, signal });
  if (exitCode !== 0)
    throw new Error(`run ${argv.join(' ')} on ${host.name}: exit code ${exitCode}: ${stderr}`);
  return stdout;
}

/** All state of the machines that a fault here could change, as text. */
export async function whole(signal: AbortSignal): Promise<string> {
  const parts = await Promise.all([
    traces(machines.a, signal),
    must(signal, machines.a, 'systemctl', 'is-active', 'drowse.service'),
    must(signal, machines.a, 'bash', '-c', 'ls /run | grep storm || true'),
    must(signal, machines.b, 'systemctl', 'is-active', 'ssh.service'),
    must(signal, machines.engine, 'bash', '-c', "docker ps --format '{{.Names}} {{.State}}' | sort"),
    must(
      signal,
      machines.engine,
      'systemctl',
      'list-units',
      '--all',
      '--plain',
      '--no-legend',
      'firedrill-*',
    ),
  ]);
  return parts.join('==\n');
}

/** Polls until the state equals `untouched` or the time is over. Returns the changed lines; empty if equal. */
export async function difference(untouched: string, withinMs: number, signal: AbortSignal): Promise<string> {
  const deadline = clock.nowMs() + withinMs;
  for (;;) {
    const now = await whole(signal).catch(String);
    if (now === untouched) return '';
    if (clock.nowMs() > deadline) return changedLines(untouched, now);
    await clock.sleep(300, signal);
  }
}

/** A line diff: `- line` only in the first text, `+ line` only in the second; both texts if only the order differs. */
function changedLines(before: string, now: string): string {
  const [old, current] = [before.split('\n'), now.split('\n')];
  const gone = old.filter((line) => !current.includes(line)).map((line) => `- ${line}`);
  const come = current.filter((line) => !old.includes(line)).map((line) => `+ ${line}`);
  const changed = [...gone, ...come].join('\n');
  return changed === '' ? `${before}\nis now\n${now}` : changed;
}

/** File names of the open undo records in a state folder. */
export function openRecords(state: string): readonly string[] {
  try {
    return readdirSync(join(state, 'ledger')).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
}
