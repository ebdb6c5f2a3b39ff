import type { Tools } from '../peers/peer.ts';

/** What every part is given. */
export interface BenchContext {
  readonly seed: number;
  /** A folder for what the part writes; gone afterwards. */
  readonly folder: string;
  /** Short runs, which only show that everything works: their figures mean nothing. */
  readonly quick: boolean;
  readonly tools: Tools;
  /** Progress, for people. */
  readonly report: (line: string) => void;
}
