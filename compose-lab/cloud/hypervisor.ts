/** What the compute service needs of whatever runs its machines. All but `look` reject when it does not answer or refuses. */
export interface Hypervisor {
  /** undefined when there is no such machine. Rejects when nobody can tell. */
  look(machine: string): Promise<Machine | undefined>;
  /** Asks the guest to shut down; one that has not after `timeoutMs` loses its power. Resolves when it is off. */
  shutDown(machine: string, timeoutMs: number): Promise<void>;
  /** Takes the power away. A machine that is off is fine. */
  powerOff(machine: string): Promise<void>;
  /** Resolves when the machine has power, not when it has booted. A machine that is on is fine. */
  powerOn(machine: string): Promise<void>;
}

/** A machine as it is now. */
export interface Machine {
  /** Another id under the same name is another machine: it was made anew. */
  readonly id: string;
  readonly on: boolean;
}

/** Machines that are nothing but a flag: for tests of the API. */
export class MemoryHypervisor implements Hypervisor {
  readonly machines = new Map<string, { id: string; on: boolean }>();
  /** What was asked, in order: `shutDown vm-1`. */
  readonly asked: string[] = [];
  readonly #shutDownMs: number;

  constructor(machines: readonly string[], shutDownMs = 0) {
    for (const name of machines) this.machines.set(name, { id: `${name}/1`, on: true });
    this.#shutDownMs = shutDownMs;
  }

  look(machine: string): Promise<Machine | undefined> {
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
