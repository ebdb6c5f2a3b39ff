import type { DurationMs } from './time.ts';

/** Result of a finished command. A non-zero exit code is data, not an error. */
export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /**
   * Set if the command was ended because it wrote more than `maxOutputBytes`: the output is its beginning.
   */
  readonly truncated?: true;
}

/** Options of one command. */
export interface ExecOptions {
  readonly timeoutMs: DurationMs;
  readonly signal: AbortSignal;
  /** Text for the command's standard input; default: none. */
  readonly input?: string;
  /** Keep this much of the output, then end the command. By default too much output is an error. */
  readonly maxOutputBytes?: number;
  /**
   * The command only reads state: repeating it does no harm, and nothing that it starts outlives it. A
   * transport may run it in a way that loads the host less.
   */
  readonly attempt?: true;
  /** Factor for the transport's own time limits (connecting, asking its engine); default: 1. */
  readonly timeoutFactor?: number;
}

/** How a followed command ended by itself. */
export interface FollowEnd {
  readonly exitCode: number;
  /** The end of its standard error. */
  readonly stderr: string;
}

/** The standard input and output of a command that keeps running. */
export interface CommandPipe {
  write(bytes: Uint8Array): void;
  /** Sets the receiver of the command's output, which gets it as it comes. Call it before the first write. */
  onData(listener: (bytes: Uint8Array) => void): void;
  /** Called once, with the reason: the command ended, could not be started, or the connection to it broke. */
  onEnd(listener: (why: string) => void): void;
  /** Closes the command's standard input, and kills the command if it does not end then. */
  close(): void;
}

/**
 * A place where commands run: the local machine, a container, a machine behind SSH. Only a broken connection
 * (no such container, connection lost, timeout) throws, as DrillError `host-unreachable`: the outcome is
 * then unknown.
 */
export interface Host {
  readonly name: string;
  /** How commands reach the host, for `plan`, such as `docker exec web-1`. */
  readonly transport: string;
  exec(argv: readonly string[], options: ExecOptions): Promise<ExecResult>;
  /**
   * The output lines of a command that keeps running, as they come; the generator's return value is the
   * command's end. The command ends when the signal aborts, when the generator is returned, or when this
   * process dies.
   */
  follow(argv: readonly string[], signal: AbortSignal): AsyncGenerator<string, FollowEnd, void>;
  /**
   * Starts a command that ends with its standard input, and communicates with it. Never throws: an error ends
   * the pipe. Absent if the transport does not support it.
   */
  readonly pipe?: (argv: readonly string[]) => CommandPipe;
  /** The machine's power switch; undefined if the transport does not use the machine's hypervisor. */
  readonly power?: PowerSwitch;
  /** Set if commands run on firedrill's own machine, in its own network. */
  readonly isThisMachine?: true;
  /** The container that is this host, as its engine reports it; undefined if the host is not a container. */
  readonly container?: HostContainer;
}

/** A container that is a host. Its engine's report does not depend on anything in the container. */
export interface HostContainer {
  readonly name: string;
  /** @throws DrillError `host-unreachable` if the engine gives no answer, or knows no such container */
  inspect(signal: AbortSignal, timeoutFactor?: number): Promise<ContainerReport>;
  /** The network namespace of firedrill's own process, as `printNetwork` prints it; absent if it cannot be read. */
  readonly ownNetwork?: string;
}

/**
 * Prints the network namespace of a shell and the boot id of its kernel, because namespace numbers are unique
 * only within a kernel.
 */
export const printNetwork = 'readlink /proc/self/ns/net && cat /proc/sys/kernel/random/boot_id';

/** A container's state as its engine reports it. */
export interface ContainerReport {
  /** created, running, paused, restarting, removing, exited, or dead. */
  readonly status: string;
  /** RFC 3339, by the engine's clock; different after each start. */
  readonly startedAt: string;
  /** RFC 3339, by the engine's clock: when it last stopped; year 1 if it never has. */
  readonly finishedAt: string;
  /** no, always, on-failure, or unless-stopped. */
  readonly restartPolicy: string;
  /**
   * The container uses the network of its engine's machine (`network_mode: host`), directly or through
   * another container.
   */
  readonly sharesMachineNetwork: boolean;
}

/**
 * Power of a machine through its hypervisor, without any process in the machine. All methods throw DrillError
 * `host-unreachable` if the hypervisor does not answer. `timeoutFactor` is a factor for its time limit; default:
 * 1.
 */
export interface PowerSwitch {
  /** The commands, for `plan`. */
  readonly describe: { readonly cut: string; readonly on: string };
  isOn(signal: AbortSignal, timeoutFactor?: number): Promise<boolean>;
  /** Without shutdown and without FIN: the machine is off when this resolves. */
  cut(signal: AbortSignal, timeoutFactor?: number): Promise<void>;
  /** Resolves when the machine has power, not when it has booted. */
  on(signal: AbortSignal, timeoutFactor?: number): Promise<void>;
}

/** A warning about the connection to a host. Commands run in spite of it. */
export interface HostNote {
  readonly message: string;
  readonly hint: string;
}

/** Receives warnings, each once per host. */
export type NoteListener = (note: HostNote) => void;
