import type { Tools } from '../peers/peer.ts';

/** Context of every part. */
export interface BenchContext {
  readonly seed: number;
  /** A folder for the part's files; deleted afterwards. */
  readonly folder: string;
  /** Short runs, as a test of the bench: their figures are meaningless. */
  readonly quick: boolean;
  readonly tools: Tools;
  /** Prints a progress line. */
  readonly report: (line: string) => void;
}
