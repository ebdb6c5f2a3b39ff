/** How long something should take, ms: where in its cycle the event falls decides where between the two. */
export interface Bounds {
  readonly minMs: number;
  readonly maxMs: number;
}
