/** Controls the machines of the compute service. All methods reject if it does not answer or refuses. */
export interface Hypervisor {
  /** Undefined if there is no such machine. Rejects if the state is unknown. */
  inspect(machine: string): Promise<Machine | undefined>;
  /** Requests a shutdown of the guest, and powers it off after `timeoutMs`. Resolves when it is off. */
  shutDown(machine: string, timeoutMs: number): Promise<void>;
  /** Powers a machine off. No error if it is already off. */
  powerOff(machine: string): Promise<void>;
  /** Powers a machine on. Resolves before it has booted. No error if it is already on. */
  powerOn(machine: string): Promise<void>;
}

/** The present state of a machine. */
export interface Machine {
  /** A new id under the same name is a new machine: the container was recreated. */
  readonly id: string;
  readonly on: boolean;
}

/** Machines in memory, for tests of the API. */
export class MemoryHypervisor implements Hypervisor {
  readonly machines = new Map<string, { id: string; on: boolean }>();
  /** The calls in order: `shutDown vm-1`. */
  readonly asked: string[] = [];
  readonly #shutDownMs: number;

  constructor(machines: readonly string[], shutDownMs = 0) {
    for (const name of machines) this.machines.set(name, { id: `${name}/1`, on: true });
    this.#shutDownMs = shutDownMs;
  }

  inspect(machine: string): Promise<Machine | undefined> {
    const found = this.machines.get(machine);
    return Promise.resolve(found === undefined ? undefined : { ...found });
  }

  async shutDown(machine: string): Promise<void> {
    this.asked.push(`shutDown ${machine}`);
    await new Promise((resolve) => setTimeout(resolve, this.#shutDownMs));
    this.#of(machine).on = false;
  }

  powerOff(machine: string): Promise<void> {
    this.asked.push(`powerOff ${machine}`);
    this.#of(machine).on = false;
    return Promise.resolve();
  }

  powerOn(machine: string): Promise<void> {
    this.asked.push(`powerOn ${machine}`);
    this.#of(machine).on = true;
    return Promise.resolve();
  }

  #of(machine: string): { on: boolean } {
    const found = this.machines.get(machine);
    if (found === undefined) throw new Error(`no machine ${machine}`);
    return found;
  }
}
