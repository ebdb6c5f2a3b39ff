import type { Promised } from './check.ts';

export const readsBack: Promised = {
  promise: 'acknowledged rows are read back, once each and by client, over another connection',
  hint: 'Return `acked` only after the answer of the store, write each row once, and let `rows` list the rows of the store.',
};

export const countsDuplicates: Promised = {
  promise: 'a row that is written twice is refused, or counted',
  hint: 'Store each row under no key, or count it, so that `rows` returns it with `times: 2`.',
};

export const ownStore: Promised = {
  promise: 'a store has the rows of its run only, and `create` and `drop` may be repeated',
  hint: 'Name the store by `ctx.store`. `create` keeps an existing store, and `drop` removes all rows.',
};

export const aborts: Promised = {
  promise: 'an aborted write never throws, and is not acknowledged; an aborted read throws',
  hint: 'Begin each action with a check of `signal.aborted`, and end it when the signal aborts.',
};

export const closes: Promised = {
  promise: 'a client may be closed twice and during a write, and keeps no connection',
  hint: 'Destroy the socket in `close`, and let the write in progress end as `indeterminate`.',
};

export const lostAnswer: Promised = {
  promise: 'a write whose answer is lost is `indeterminate`, and is not repeated',
  hint: 'Return `refused` only if nothing was sent, or the answer says that the row was not written.',
};

export const lateAnswer: Promised = {
  promise: 'a late answer does not acknowledge the next write',
  hint: 'Close the connection after a timeout, and open a new one for the next write.',
};

export const brokenWrite: Promised = {
  promise: 'a write whose connection breaks is `indeterminate`, and the client connects again',
  hint: 'Return `refused` only if nothing was sent. Open a new connection for the next write, without a repetition of this one.',
};

export const unreachable: Promised = {
  promise: 'without a connection, a write is not acknowledged, and `rows`, `create`, and `drop` throw',
  hint: 'Let `rows`, `create`, and `drop` throw errors of the connection. An empty result of `rows` would mean that all rows are lost.',
};
