import { Socket, type SocketConnectOpts } from 'node:net';
import type { ResolveName } from '../core/probe.ts';

/** `LookupFunction` of node:net, as far as it is used. It is part of the public types, which need no types of Node. */
export type Lookup = (
  hostname: string,
  options: { readonly all?: boolean | undefined; readonly family?: number | 'IPv4' | 'IPv6' | undefined },
  callback: (
    error: Error | null,
    address: string | { address: string; family: number }[],
    family?: number,
  ) => void,
) => void;

/** The lookup of one connection. */
export interface NameLookup {
  /** For `connect` of node:net and its callers. Not called for IP addresses. */
  readonly lookup: Lookup;
  /** The name that is being looked up; undefined before and after. */
  readonly resolving: string | undefined;
}

/** A lookup with this resolver instead of getaddrinfo. */
export function nameLookup(resolveName: ResolveName): NameLookup {
  let resolving: string | undefined;
  const lookup: Lookup = (name, { all, family }, callback) => {
    resolving = name;
    const end = (error: Error | null, addresses: Awaited<ReturnType<ResolveName>>): void => {
      resolving = undefined;
      const [first] = addresses;
      if (all === true) callback(error, [...addresses]);
      else callback(error, first?.address ?? '', first?.family ?? 0);
    };
    resolveName(name).then(
      (addresses) => {
        const asked = addresses.filter(
          (one) => family === undefined || family === 0 || one.family === family,
        );
        if (asked.length > 0) return end(null, asked);
        return end(
          Object.assign(new Error(`DNS: ${name} has no IPv${family} address`), { code: 'ENOTFOUND' }),
          [],
        );
      },
      (error: unknown) => end(error instanceof Error ? error : new Error(String(error)), []),
    );
  };
  return {
    lookup,
    get resolving() {
      return resolving;
    },
  };
}

/** A socket that resolves names with this resolver if `connect` gets a port and a host, as pg calls it. */
export class ResolvingSocket extends Socket {
  readonly names: NameLookup;

  constructor(resolveName: ResolveName) {
    super();
    this.names = nameLookup(resolveName);
  }

  override connect(...args: unknown[]): this {
    const [port, host] = args;
    if (typeof port !== 'number' || typeof host !== 'string')
      return super.connect(...(args as [SocketConnectOpts]));
    return super.connect({ port, host, lookup: this.names.lookup });
  }
}
