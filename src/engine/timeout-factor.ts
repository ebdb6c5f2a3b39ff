import type { Host } from '../core/host.ts';

/**
 * The same host with all command timeouts multiplied by a factor, which is read at each command. A machine
 * that is short of CPU answers late, so a retry waits longer. Followed commands have no timeout.
 */
export function withTimeoutFactor(host: Host, factor: () => number): Host {
  const { power, container, isThisMachine } = host;
  return {
    name: host.name,
    transport: host.transport,
    exec: (argv, options) =>
      host.exec(argv, {
        ...options,
        timeoutMs: options.timeoutMs * factor(),
        timeoutFactor: (options.timeoutFactor ?? 1) * factor(),
      }),
    follow: (argv, signal) => host.follow(argv, signal),
    ...(isThisMachine === undefined ? {} : { isThisMachine }),
    ...(container === undefined
      ? {}
      : {
          container: {
            ...container,
            inspect: (signal: AbortSignal) => container.inspect(signal, factor()),
          },
        }),
    ...(power === undefined
      ? {}
      : {
          power: {
            describe: power.describe,
            isOn: (signal: AbortSignal) => power.isOn(signal, factor()),
            cut: (signal: AbortSignal) => power.cut(signal, factor()),
            on: (signal: AbortSignal) => power.on(signal, factor()),
          },
        }),
  };
}
