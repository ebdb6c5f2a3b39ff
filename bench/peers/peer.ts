import type { ReportedWindow } from '../judge.ts';

/** A target of a peer. */
export interface PeerTarget {
  readonly url: string;
  readonly host: string;
}

/** A peer's report on one target. */
export interface PeerWord {
  /** Null: the tool reports no single outages. */
  readonly windows: readonly ReportedWindow[] | null;
  /** Total of all outages, ms. */
  readonly totalMs: number;
}

/** A running peer. */
export interface PeerAtWork {
  /** Stops it, and returns its report on each target. */
  stop(): Promise<readonly PeerWord[]>;
}

/** The available tools. */
export interface Tools {
  /** Path of a program; undefined if it is not available. */
  readonly program: (name: string) => string | undefined;
  readonly env: Readonly<Record<string, string>>;
}

/** Another tool, in its common use for outages. */
export interface Peer {
  readonly name: string;
  /** Its command line and how its output is read, for the table. */
  readonly reading: string;
  /** Whether it probes targets over HTTP, or only pings their hosts. */
  readonly sees: 'http' | 'ping';
  /** Required programs. */
  readonly needs: readonly string[];
  start(targets: readonly PeerTarget[], tools: Tools, options: PeerOptions): Promise<PeerAtWork>;
}

/** Options of a peer. */
export interface PeerOptions {
  /** An empty folder for the peer. */
  readonly folder: string;
  /** Duration of the run, ms, for tools that need it. */
  readonly forMs: number;
}

/** The report of a tool with windows. */
export function withTotal(windows: readonly ReportedWindow[]): PeerWord {
  return { windows, totalMs: windows.reduce((total, { ms }) => total + ms, 0) };
}
