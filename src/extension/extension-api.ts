// What an extension may import from `firedrill`; src/index.ts exports it as part of the public API. The loader gives it to
// extensions without the rest (load-module.ts).

export { z } from 'zod';
export { duration } from '../core/duration.ts';
export { DrillError } from '../core/errors.ts';
export { commandWord } from '../core/names.ts';
export { ProbeTimeout } from '../core/probe.ts';
export { localHost } from './local-host.ts';
export { type Proxy, proxyTo } from './proxy.ts';
export { shellQuote } from '../core/shell-quote.ts';
export { run, runOk } from '../faults/lib/commands.ts';
export { requireOwnConnection } from '../faults/lib/own-connection.ts';
export { nameLookup } from '../net/name-lookup.ts';
export { abortedBy, failureOf } from '../net/net-errors.ts';
export { readSecret, secretRef } from '../net/secret.ts';
export { hostPort, requireHostPort } from '../net/text-params.ts';
export {
  defineExtension,
  defineFault,
  defineProbe,
  defineReporter,
  defineTransport,
  defineWriter,
  type Extension,
} from './define.ts';
export {
  type Connection,
  defineTests,
  type ExtensionTests,
  type FaultStand,
  type FaultTest,
  type ProbeSituation,
  type ProbeTest,
  type Stand,
  type TransportTest,
  type WriterTest,
} from './define-tests.ts';
export type { Clock } from '../core/clock.ts';
export type { DrillErrorCode } from '../core/errors.ts';
export type { FaultContext, FaultKind } from '../core/fault.ts';
export type { ExecOptions, ExecResult, Host } from '../core/host.ts';
export type { HostUse } from '../core/host-use.ts';
export type { Json } from '../core/plan.ts';
export type { ProbeContext, ProbeKind, ProbeSession, SampleCost } from '../core/probe.ts';
export type { FailCause, LogMark, Observation } from '../core/sample.ts';
export type { TransportKind } from '../core/transport-kind.ts';
export type { RowClient, WriterContext, WriterKind, WriterPath, Written } from '../core/writer.ts';
export type {
  FinishedDrill,
  FinishedRun,
  Reporter,
  ReporterContext,
  ReporterKind,
} from '../reporters/reporter.ts';
