/**
 * How a target fails.
 * - `refused`: nothing listens.
 * - `hang`: connections are accepted and never answered, and dropped when the outage ends.
 * - `late`: requests are kept and answered when the outage ends.
 * - `http-503`: every answer is a 503.
 * - `black-hole`: the network namespace of the server drops every packet that comes in.
 */
export type OutageKind = 'refused' | 'hang' | 'late' | 'http-503' | 'black-hole';

/** An outage that is to come: of the server's port number `track`, at a moment of `monoMs`. */
export interface ScriptedOutage {
  readonly track: number;
  readonly kind: OutageKind;
  readonly atMs: number;
  readonly lengthMs: number;
}

/** An edge lay between these two moments of `monoMs`. */
export interface Edge {
  readonly loMs: number;
  readonly hiMs: number;
}

/** An outage as it was. */
export interface TrueOutage {
  readonly track: number;
  readonly kind: OutageKind;
  readonly start: Edge;
  readonly end: Edge;
}

/** What the fault server is started with, as JSON in its first argument. */
export interface ServerInput {
  readonly host: string;
  /** How many ports that can fail. */
  readonly tracks: number;
  /** It runs in a network namespace of its own. */
  readonly ownNamespace: boolean;
}

/** To the fault server. It ends when the channel closes. */
export interface ToServer {
  readonly outages: readonly ScriptedOutage[];
}

/** From the fault server. */
export type FromServer =
  | {
      readonly type: 'listening';
      /** By track. */
      readonly ports: readonly number[];
      /** Never fails, and costs the server little. */
      readonly plainPort: number;
      /** `GET /<track>/<kind>/<ms>` begins an outage and answers when it has begun. */
      readonly controlPort: number;
    }
  | { readonly type: 'outage'; readonly outage: TrueOutage }
  /** It was held up itself. */
  | { readonly type: 'stalled'; readonly stall: Edge }
  /** The script is at its end. */
  | { readonly type: 'played' }
  | { readonly type: 'failed'; readonly message: string };
