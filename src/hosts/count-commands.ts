import type { Host } from '../core/host.ts';

/** Counts the commands that run on hosts. */
export interface CommandCount {
  /** Commands so far: run, followed, and piped. */
  readonly commands: number;
  /** The same host with its commands counted. */
  counted(host: Host): Host;
}

/** Starts a count at 0. */
export function countCommands(): CommandCount {
  let commands = 0;
  return {
    get commands() {
      return commands;
    },
    counted(host) {
      const { pipe, power, container, isThisMachine } = host;
      return {
        name: host.name,
        transport: host.transport,
        exec: async (argv, options) => {
          commands += 1;
          return host.exec(argv, options);
        },
        follow: (argv, signal) => {
          commands += 1;
          return host.follow(argv, signal);
        },
        ...(pipe === undefined
          ? {}
          : {
              pipe: (argv: readonly string[]) => {
                commands += 1;
                return pipe(argv);
              },
            }),
        ...(power === undefined ? {} : { power }),
        ...(container === undefined ? {} : { container }),
        ...(isThisMachine === undefined ? {} : { isThisMachine }),
      };
    },
  };
}
