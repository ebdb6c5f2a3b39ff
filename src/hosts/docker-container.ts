import { z } from 'zod';
import type { ContainerReport, HostContainer } from '../core/host.ts';
import { parseJson } from '../core/parse-json.ts';

/** Runs a Docker command that only reads, and returns what it prints. @throws DrillError `host-unreachable` */
export type AskEngine = (
  words: readonly string[],
  signal: AbortSignal,
  timeoutFactor: number,
) => Promise<string>;

const reportSchema = z.object({
  status: z.string().min(1),
  startedAt: z.string(),
  finishedAt: z.string(),
  restartPolicy: z.string(),
  networkMode: z.string(),
});

/** JSON, because values may contain spaces. */
const format = `{"status":{{json .State.Status}},"startedAt":{{json .State.StartedAt}},"finishedAt":{{json .State.FinishedAt}},"restartPolicy":{{json .HostConfig.RestartPolicy.Name}},"networkMode":{{json .HostConfig.NetworkMode}}}`;

/** A container can share the network of another container, which shares that of a third. A chain longer than this would be a loop, which Docker refuses. */
const longestChain = 10;

/** A container as its engine reports it. `unreadable` makes the error for an answer that cannot be parsed. */
export function dockerContainer(
  name: string,
  ask: AskEngine,
  unreadable: (answer: string) => Error,
): HostContainer {
  const read = async (
    container: string,
    signal: AbortSignal,
    timeoutFactor: number,
  ): Promise<z.output<typeof reportSchema>> => {
    const words = ['container', 'inspect', '--format', format, container];
    const answer = await ask(words, signal, timeoutFactor);
    const parsed = reportSchema.safeParse(parseJson(answer));
    if (parsed.success) return parsed.data;
    throw unreadable(answer);
  };

  const sharesMachineNetwork = async (
    mode: string,
    signal: AbortSignal,
    timeoutFactor: number,
  ): Promise<boolean> => {
    let next = mode;
    for (let link = 0; link < longestChain; link += 1) {
      const other = /^container:(.+)$/.exec(next)?.[1];
      if (other === undefined) return next === 'host';
      next = (await read(other, signal, timeoutFactor)).networkMode;
    }
    return true;
  };

  return {
    name,
    async inspect(signal, timeoutFactor = 1): Promise<ContainerReport> {
      const { networkMode, restartPolicy, ...report } = await read(name, signal, timeoutFactor);
      return {
        ...report,
        restartPolicy: restartPolicy === '' ? 'no' : restartPolicy,
        sharesMachineNetwork: await sharesMachineNetwork(networkMode, signal, timeoutFactor),
      };
    },
  };
}
