import type { FaultContext, FaultKind } from '../../core/fault.ts';
import { scriptedFault, type ScriptedFault, type Tagged } from './scripted-fault.ts';
import {
  applyFilter,
  filterGone,
  filterInForce,
  requireFilter,
  undoFilter,
  type PacketFilter,
} from './packet-filter.ts';

/** A fault that consists only of packet rules on its host. */
export interface FilterFault<P> extends Pick<
  ScriptedFault<P, PacketFilter>,
  'kind' | 'summary' | 'params' | 'describe'
> {
  /** The rules for this host. Throws `fault-failed` if they would have no effect on this host. */
  filter(params: P, ctx: FaultContext): Promise<PacketFilter>;
}

/** Creates a fault kind from its packet rules. */
export function filterFault<P>(fault: FilterFault<P>): FaultKind<P, Tagged<PacketFilter>, null> {
  return scriptedFault({
    kind: fault.kind,
    summary: fault.summary,
    params: fault.params,
    tools: ['iptables', 'iptables-restore'],
    describe: fault.describe,
    async prepare(p, tag, ctx) {
      const filter = await fault.filter(p, ctx);
      await requireFilter(ctx, filter, tag);
      return filter;
    },
    cut: (_p, filter) => ({ kind: 'packets', filter }),
    apply: (filter, tag, ctx) => applyFilter(ctx, filter, tag),
    undo: undoFilter,
    inForce: (filter, tag, ctx) => filterInForce(ctx, filter, tag),
    gone: (filter, tag, ctx) => filterGone(ctx, filter, tag),
  });
}
