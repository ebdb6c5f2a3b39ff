/** One result of a check before a drill, and what it means. */
export interface Finding {
  readonly name: string;
  readonly status: 'ok' | 'info' | 'warn' | 'fail';
  readonly observed: string;
  /** The hint; present unless the status is `ok`. */
  readonly hint?: string;
}
