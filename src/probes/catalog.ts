import type { ProbeKind } from '../core/probe.ts';
import { arp } from './arp.ts';
import { container } from './container.ts';
import { containerLog } from './container-log.ts';
import { dns } from './dns.ts';
import { exec } from './exec.ts';
import { haproxyStats } from './haproxy-stats.ts';
import { http } from './http.ts';
import { icmp } from './icmp.ts';
import { journal } from './journal.ts';
import { logFile } from './log-file.ts';
import { sql } from './sql.ts';
import { tcp } from './tcp.ts';
import { tcpSession } from './tcp-session.ts';
import { vipClaim } from './vip-claim.ts';
import { vrrp } from './vrrp.ts';

/** All probe kinds. The schema, `plan`, the docs, and the error messages use this list. */
export const probeKinds: readonly ProbeKind<unknown>[] = [
  http,
  tcp,
  tcpSession,
  sql,
  dns,
  icmp,
  exec,
  container,
  haproxyStats,
  journal,
  containerLog,
  logFile,
  vipClaim,
  vrrp,
  arp,
];

/** The probe kind with this name, or undefined. */
export function probeKind(kind: string): ProbeKind<unknown> | undefined {
  return probeKinds.find((candidate) => candidate.kind === kind);
}
