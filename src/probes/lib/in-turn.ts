/** One after the other, in the order of the calls. The work must not reject: nothing after it would be done. */
export function inTurn<A, T>(work: (given: A) => Promise<T>): (given: A) => Promise<T> {
  let turn: Promise<unknown> = Promise.resolve();
  return (given) => {
    const done = turn.then(() => work(given));
    turn = done;
    return done;
  };
}
