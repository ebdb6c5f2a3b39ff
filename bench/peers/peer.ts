import type { ToldWindow } from '../judge.ts';

/** What a peer looks at. */
export interface PeerTarget {
  readonly url: string;
  readonly host: string;
}

/** What it told of one target. */
export interface PeerWord {
  /** null: the tool tells no single outages. */
  readonly windows: readonly ToldWindow[] | null;
  /** All outages together, ms. */
  readonly totalMs: number;
}

/** A peer at work. */
export interface PeerAtWork {
  /** Ends it and gives what it told, target by target. */
  stop(): Promise<readonly PeerWord[]>;
}

/** Where tools were unpacked to. */
export interface Tools {
  /** Path of a program; undefined where it is not to be had. */
  readonly program: (name: string) => string | undefined;
  readonly env: Readonly<Record<string, string>>;
}

/** Another tool, as people use it to see outages. */
export interface Peer {
  readonly name: string;
  /** How it is called and how its output is read, for the table. */
  readonly reading: string;
  /** Looks at targets over HTTP, or only whether their hosts answer. */
  readonly sees: 'http' | 'ping';
  /** Programs without which it is absent. */
  readonly needs: readonly string[];
  start(targets: readonly PeerTarget[], tools: Tools, options: PeerOptions): Promise<PeerAtWork>;
}

/** What a peer may need to know. */
export interface PeerOptions {
  /** An empty folder of its own. */
  readonly folder: string;
  /** How long it is going to run: some tools want to know. */
  readonly forMs: number;
}

/** The word of a tool whose windows are known. */
export function withTotal(windows: readonly ToldWindow[]): PeerWord {
  return { windows, totalMs: windows.reduce((total, { ms }) => total + ms, 0) };
}
