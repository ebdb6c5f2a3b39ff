/** One thing that was looked at before it hurts, and what it means. */
export interface Finding {
  readonly name: string;
  readonly status: 'ok' | 'info' | 'warn' | 'fail';
  readonly observed: string;
  /** What to do; present unless the status is `ok`. */
  readonly mend?: string;
}
