import { request } from 'node:http';
import type { Hypervisor, Machine } from './hypervisor.ts';

/** Time limit of the engine's answers, ms. A stop also takes the guest's shutdown time. */
const answerWithinMs = 15_000;

/**
 * Machines that are containers of a Docker engine, controlled through its API socket. A graceful shutdown is the container's
 * stop signal (SIGRTMIN+3 for systemd). Power off is SIGKILL to all processes in the container.
 */
export class DockerHypervisor implements Hypervisor {
  readonly #socketPath: string;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  async inspect(machine: string): Promise<Machine | undefined> {
    const { status, body } = await this.#call('GET', `/containers/${machine}/json`, answerWithinMs);
    if (status === 404) return undefined;
    if (status !== 200) throw new Error(`cannot inspect ${machine}: the engine answered ${status} ${body}`);
    const { Id, State } = JSON.parse(body) as { Id: string; State: { Running: boolean; Status: string } };
    // A created container is about to start. It must not count as powered off.
    return State.Status === 'created' ? undefined : { id: Id, on: State.Running };
  }

  async shutDown(machine: string, timeoutMs: number): Promise<void> {
    const seconds = Math.ceil(timeoutMs / 1000);
    const path = `/containers/${machine}/stop?t=${seconds}`;
    this.#must(machine, await this.#call('POST', path, timeoutMs + answerWithinMs), [204, 304]);
  }

  async powerOff(machine: string): Promise<void> {
    const answer = await this.#call('POST', `/containers/${machine}/kill`, answerWithinMs);
    // 409: the container is already off.
    this.#must(machine, answer, [204, 409]);
    // The engine answers before it has recorded the end. Without this wait, it would ignore the next start.
    const wait = `/containers/${machine}/wait?condition=not-running`;
    this.#must(machine, await this.#call('POST', wait, answerWithinMs), [200]);
  }

  async powerOn(machine: string): Promise<void> {
    const answer = await this.#call('POST', `/containers/${machine}/start`, answerWithinMs);
    this.#must(machine, answer, [204, 304]);
  }

  #must(machine: string, answer: { status: number; body: string }, fine: readonly number[]): void {
    if (!fine.includes(answer.status)) throw new Error(`${machine}: ${answer.status} ${answer.body.trim()}`);
  }

  /** The path has no API version: the engine then uses its own. */
  #call(method: string, path: string, timeoutMs: number): Promise<{ status: number; body: string }> {
    return new Promise((resolve, reject) => {
      const signal = AbortSignal.timeout(timeoutMs);
      const call = request({ socketPath: this.#socketPath, method, path, agent: false, signal }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') });
        });
      });
      call.on('error', reject);
      call.end();
    });
  }
}
