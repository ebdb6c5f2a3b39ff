/**
 * Runs calls of `work` one after the other, in the order of the calls. `work` must not reject: later calls
 * would never run.
 */
export function inTurn<A, T>(work: (given: A) => Promise<T>): (given: A) => Promise<T> {
  let turn: Promise<unknown> = Promise.resolve();
  return (given) => {
    const done = turn.then(() => work(given));
    turn = done;
    return done;
  };
}
