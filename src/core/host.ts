/** What a finished command left behind. A non-zero exit is data, not an error. */
export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Set when the command was ended because it wrote more than `maxOutputBytes`: the output is its beginning. */
  readonly truncated?: true;
}

/** Limits of one command. */
export interface ExecOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Text for the command's standard input; none by default. */
  readonly input?: string;
  /** Keep this much of the output, then end the command. By default too much output is an error. */
  readonly maxOutputBytes?: number;
  /**
   * The command only looks: asking again does no harm, and nothing that it starts outlives it. A transport may run it
   * in a way that loads the host less.
   */
  readonly look?: true;
  /** Factor for the limits that the transport sets itself (connecting, asking its engine); 1 by default. */
  readonly patience?: number;
}

/** How a followed command ended by itself. */
export interface FollowEnd {
  readonly exitCode: number;
  /** The last it wrote on its standard error. */
  readonly stderr: string;
}

/** The standard input and output of a command that goes on by itself. */
export interface CommandPipe {
  write(bytes: Uint8Array): void;
  /** Called with what the command writes, as it comes. Set before anything is written. */
  onData(listener: (bytes: Uint8Array) => void): void;
  /** Called once, with the reason: the command ended, could not be started, or the way to it broke. */
  onEnd(listener: (why: string) => void): void;
  /** Closes its standard input, and kills it where that does not end it. */
  close(): void;
}

/**
 * A place where commands run: the local machine, a container, a machine behind
 * SSH. Only a broken channel (no such container, connection lost, time-out)
 * throws, as DrillError `host-unreachable`: the outcome is then unknown.
 */
export interface Host {
  readonly name: string;
  /** How commands get there, for `plan`: e.g. `docker exec web-1`. */
  readonly transport: string;
  exec(argv: readonly string[], options: ExecOptions): Promise<ExecResult>;
  /**
   * The lines of a command that goes on by itself, as they come; its end is the generator's return value. The
   * command ends with the consumer: when the signal aborts, when the generator is returned, and when this
   * process dies.
   */
  follow(argv: readonly string[], signal: AbortSignal): AsyncGenerator<string, FollowEnd, void>;
  /**
   * Starts a command that ends with its standard input, and talks to it. Never throws: what goes wrong ends the pipe.
   * Absent where the transport has none.
   */
  readonly pipe?: (argv: readonly string[]) => CommandPipe;
  /** The machine's power, where the transport reaches it from beneath: undefined where it does not. */
  readonly power?: PowerSwitch;
  /** Set where commands run on firedrill's own machine, in its own network. */
  readonly isThisMachine?: true;
  /** The container that the host is, as its engine reports it; undefined where the host is no container. */
  readonly container?: HostContainer;
}

/** A container that is a host. What its engine reports does not depend on anything in the container. */
export interface HostContainer {
  readonly name: string;
  /** @throws DrillError `host-unreachable` when the engine gives no answer, or knows no such container */
  inspect(signal: AbortSignal, patience?: number): Promise<ContainerReport>;
  /** The network namespace of firedrill's own process, as `printNetwork` prints it; absent if it cannot be read. */
  readonly ownNetwork?: string;
}

/** Prints the network namespace of a shell, and the boot of its kernel: namespaces have numbers of that kernel. */
export const printNetwork = 'readlink /proc/self/ns/net && cat /proc/sys/kernel/random/boot_id';

/** A container's state as its engine reports it. */
export interface ContainerReport {
  /** created, running, paused, restarting, removing, exited, or dead. */
  readonly status: string;
  /** RFC 3339, by the engine's clock; another one after each start. */
  readonly startedAt: string;
  /** RFC 3339, by the engine's clock: the end of the last life that ended; year 1 where none has. */
  readonly finishedAt: string;
  /** no, always, on-failure, or unless-stopped. */
  readonly restartPolicy: string;
  /** The container is in the network of its engine's machine (`network_mode: host`), by itself or through another container. */
  readonly sharesMachineNetwork: boolean;
}

/**
 * Power of a machine, from beneath it: nothing in the machine is asked or told. All throw DrillError `host-unreachable` when
 * the hypervisor does not answer; `patience` is a factor for how long it may take, 1 by default.
 */
export interface PowerSwitch {
  /** The commands, for `plan`. */
  readonly describe: { readonly cut: string; readonly on: string };
  isOn(signal: AbortSignal, patience?: number): Promise<boolean>;
  /** No shutdown, no FIN: the machine is gone when this resolves. */
  cut(signal: AbortSignal, patience?: number): Promise<void>;
  /** Resolves when the machine has power, not when it has booted. */
  on(signal: AbortSignal, patience?: number): Promise<void>;
}

/** A warning about the connection to a host. Commands run all the same. */
export interface HostNote {
  readonly message: string;
  readonly mend: string;
}

/** Receives such warnings, each once per host. */
export type NoteListener = (note: HostNote) => void;
