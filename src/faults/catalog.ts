import type { FaultKind } from '../core/fault.ts';
import type { AnyFaultKind } from '../core/kinds.ts';
import type { Json } from '../core/plan.ts';
import { command } from './command.ts';
import { composeDown } from './compose.down.ts';
import { containerKill } from './container.kill.ts';
import { containerPause } from './container.pause.ts';
import { containerRemove } from './container.remove.ts';
import { containerRestart } from './container.restart.ts';
import { containerStop } from './container.stop.ts';
import { networkDelay } from './network.delay.ts';
import { networkIsolate } from './network.isolate.ts';
import { networkLinkDown } from './network.link-down.ts';
import { networkLoss } from './network.loss.ts';
import { networkPartition } from './network.partition.ts';
import { powerCut } from './power.cut.ts';
import { processKill } from './process.kill.ts';
import { serverReboot } from './server.reboot.ts';
import { serverStop } from './server.stop.ts';
import { serviceRestart } from './service.restart.ts';
import { serviceStop } from './service.stop.ts';

/** All fault kinds. The schema, `plan`, the docs, and the error messages use this list. */
export const faultKinds: readonly AnyFaultKind[] = [
  erase(processKill),
  erase(containerStop),
  erase(composeDown),
  erase(containerKill),
  erase(containerRestart),
  erase(containerPause),
  erase(containerRemove),
  erase(serviceStop),
  erase(serviceRestart),
  erase(powerCut),
  erase(serverStop),
  erase(serverReboot),
  erase(networkPartition),
  erase(networkIsolate),
  erase(networkLoss),
  erase(networkDelay),
  erase(networkLinkDown),
  erase(command),
];

/** The fault kind with this name, or undefined. */
export function faultKind(kind: string): AnyFaultKind | undefined {
  return faultKinds.find((candidate) => candidate.kind === kind);
}

// The cast is safe: the planner parses the parameters with the kind's own schema, and only the kind itself
// creates its `before` states.
function erase<P, B extends Json, R extends Json>(kind: FaultKind<P, B, R>): AnyFaultKind {
  return kind as unknown as AnyFaultKind;
}
