import { InvalidArgumentError } from 'commander';
import { parseTolerance, type Tolerance } from '../analysis/tolerance.ts';
import { parseDuration } from '../core/duration.ts';
import { splitNameValue } from '../core/name-value.ts';
import { plain } from '../report/text.ts';
import { parseShard, type Shard } from './shards.ts';

/** A whole number from 1. @throws InvalidArgumentError */
export function positiveInteger(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1)
    throw new InvalidArgumentError('expected a whole number from 1');
  return number;
}

/** More would only take memory: the figures are as fine as anybody can use. */
const maxTrials = 1_000_000;

/** How many trials of a model. @throws InvalidArgumentError */
export function trialCount(value: string): number {
  const trials = positiveInteger(value);
  if (trials > maxTrials) throw new InvalidArgumentError(`expected at most ${maxTrials}`);
  return trials;
}

/** A whole number from 0. @throws InvalidArgumentError */
export function wholeNumber(value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw new InvalidArgumentError('expected a whole number from 0');
  return Number(value);
}

/** Longest measurement of a burst: it samples the effect, it is not a soak test. */
const longestMs = 60_000;

/** A duration of a measurement, ms. @throws InvalidArgumentError */
export function shortDuration(value: string): number {
  const ms = parseDuration(value);
  if (ms === undefined || ms < 100 || ms > longestMs)
    throw new InvalidArgumentError('expected a duration from 100ms to 1m, such as 2s');
  return ms;
}

/** A shard, `2/3`. @throws InvalidArgumentError */
export function shardOf(value: string): Shard {
  const shard = parseShard(value);
  if (shard === undefined) throw new InvalidArgumentError('expected i/n, such as 2/3');
  return shard;
}

/** A tolerance, `10%` or `2s`. @throws InvalidArgumentError */
export function toleranceOf(value: string): Tolerance {
  const tolerance = parseTolerance(value);
  if (tolerance === undefined)
    throw new InvalidArgumentError('expected a share or a time, such as 10% or 2s');
  return tolerance;
}

/** Longer names nobody reads in a table. */
const maxLabelChars = 100;

/** The name of a release. @throws InvalidArgumentError */
export function labelText(value: string): string {
  if (value.trim() !== value || value === '' || value.length > maxLabelChars || plain(value) !== value)
    throw new InvalidArgumentError(`expected a name of at most ${maxLabelChars} printable characters`);
  return value;
}

/** Adds `name=value` to the variables given before it. @throws InvalidArgumentError */
export function addVariable(value: string, before: Readonly<Record<string, string>>): Record<string, string> {
  const given = splitNameValue(value);
  if (given.name === '' || given.value === undefined) throw new InvalidArgumentError('expected name=value');
  return { ...before, [given.name]: given.value };
}
