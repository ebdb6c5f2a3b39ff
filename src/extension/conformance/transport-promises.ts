import type { Promised } from './check.ts';

const unknownHint =
  'Throw `DrillError` with the code `host-unreachable` if the end of the command was not seen: only then is its outcome unknown.';

export const passesArguments: Promised = {
  promise: 'a command gets its arguments unchanged',
  hint: 'Quote each argument with `shellQuote` if a shell is between firedrill and the command.',
};

export const returnsExit: Promised = {
  promise: 'an exit code is returned, with both outputs apart',
  hint: 'Return the exit code of the command itself, and read stdout and stderr from separate streams.',
};

export const missingProgram: Promised = {
  promise: 'a program that is missing, not executable, or killed exits 127, 126, or 137',
  hint: 'Return the exit code that a POSIX shell has for it. It is not a broken connection.',
};

export const passesInput: Promised = {
  promise: 'a command gets its standard input, or an empty one',
  hint: 'Write `input` to the command, and then close its standard input.',
};

export const wholeOutput: Promised = {
  promise: 'output of any length is returned whole, or cut at `maxOutputBytes`',
  hint: 'Wait for the end of both streams before you return, and decode UTF-8 over the pieces of a stream.',
};

export const inParallel: Promised = {
  promise: 'commands at the same time do not disturb each other',
  hint: 'Give each command its own streams, or a number by which its answer is found.',
};

export const environment: Promised = {
  promise: 'messages are in English, and the sbin folders are in PATH',
  hint: 'Set LC_ALL to C.UTF-8 or C, unset LANGUAGE, and append /usr/local/sbin:/usr/sbin:/sbin to PATH.',
};

export const endsInTime: Promised = {
  promise: 'a timeout and an abort are `host-unreachable`',
  hint: 'End the client of the command at `timeoutMs` and when `signal` aborts, and throw `DrillError` with the code `host-unreachable`.',
};

export const follows: Promised = {
  promise: 'a followed command gives its lines and its end',
  hint: 'Give the last line also without a line break, and return `{ exitCode, stderr }`.',
};

export const endsFollowed: Promised = {
  promise: 'a followed command ends with its signal, and when its generator is returned',
  hint: 'Kill the command on the host in a `finally` of the generator, and listen to the signal.',
};

export const endsPipe: Promised = {
  promise: 'a pipe passes bytes both ways, and reports its end once',
  hint: 'Leave out `pipe` if the transport has no stream of bytes.',
};

export const letsEnd: Promised = {
  promise: 'it does not keep firedrill running',
  hint: 'End the client of each command, and call `unref` for connections that are kept for later commands.',
};

export const breaks: Promised = {
  promise: 'a command whose connection breaks is `host-unreachable`, also if it has begun',
  hint: unknownHint,
};

export const breaksFollowed: Promised = {
  promise: 'a followed command whose connection breaks throws `host-unreachable`',
  hint: 'Return from the generator only if the end of the command was seen.',
};

export const connectsAgain: Promised = {
  promise: 'without a connection a command is `host-unreachable`, and later commands connect again',
  hint: 'Forget a broken connection, and open a new one for the next command.',
};
