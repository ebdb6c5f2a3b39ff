/**
 * How a target fails.
 * - `refused`: the port is closed.
 * - `hang`: connections are accepted, get no answer, and are dropped when the outage ends.
 * - `late`: requests are held, and answered when the outage ends.
 * - `http-503`: every answer is a 503.
 * - `black-hole`: the server's network namespace drops every incoming packet.
 */
export type OutageKind = 'refused' | 'hang' | 'late' | 'http-503' | 'black-hole';

/** A scripted outage of the server's port number `track`. `atMs` is on the clock of `monoMs`. */
export interface ScriptedOutage {
  readonly track: number;
  readonly kind: OutageKind;
  readonly atMs: number;
  readonly lengthMs: number;
}

/** Bounds of an edge, on the clock of `monoMs`. */
export interface Edge {
  readonly loMs: number;
  readonly hiMs: number;
}

/** A real outage. */
export interface TrueOutage {
  readonly track: number;
  readonly kind: OutageKind;
  readonly start: Edge;
  readonly end: Edge;
}

/** Input of the fault server, as JSON in its first argument. */
export interface ServerInput {
  readonly host: string;
  /** Number of ports that can fail. */
  readonly tracks: number;
  /** Whether it runs in its own network namespace. */
  readonly ownNamespace: boolean;
}

/** Message to the fault server. It ends when the channel closes. */
export interface ToServer {
  readonly outages: readonly ScriptedOutage[];
}

/** Message from the fault server. */
export type FromServer =
  | {
      readonly type: 'listening';
      /** Ports by track. */
      readonly ports: readonly number[];
      /** Never fails, with minimal cost for the server. */
      readonly plainPort: number;
      /** `GET /<track>/<kind>/<ms>` starts an outage, and answers when it has started. */
      readonly controlPort: number;
    }
  | { readonly type: 'outage'; readonly outage: TrueOutage }
  /** The server process itself was stalled. */
  | { readonly type: 'stalled'; readonly stall: Edge }
  /** The script has ended. */
  | { readonly type: 'played' }
  | { readonly type: 'failed'; readonly message: string };
