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
    throw new InvalidArgumentError('expected a whole number, 1 or more');
  return number;
}

/** More trials would only take memory, without a useful gain in precision. */
const maxTrials = 1_000_000;

/** A number of trials of a model. @throws InvalidArgumentError */
export function trialCount(value: string): number {
  const trials = positiveInteger(value);
  if (trials > maxTrials) throw new InvalidArgumentError(`expected at most ${maxTrials}`);
  return trials;
}

/** A whole number, 0 or more. @throws InvalidArgumentError */
export function wholeNumber(value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw new InvalidArgumentError('expected a whole number, 0 or more');
  return Number(value);
}

/** Longest measurement of a burst, ms. The measurement samples the effect of the burst; it is not a soak test. */
const longestMs = 60_000;

/** The duration of a measurement, ms. @throws InvalidArgumentError */
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
    throw new InvalidArgumentError('expected a percentage or a duration, such as 10% or 2s');
  return tolerance;
}

/** Longer names do not fit into tables. */
const maxLabelChars = 100;

/** The name of a release. @throws InvalidArgumentError */
export function labelText(value: string): string {
  if (value.trim() !== value || value === '' || value.length > maxLabelChars || plain(value) !== value)
    throw new InvalidArgumentError(
      `expected at most ${maxLabelChars} characters, without control characters and without spaces at either end`,
    );
  return value;
}

/** Adds `name=value` to the values of earlier options. @throws InvalidArgumentError */
export function addVariable(value: string, before: Readonly<Record<string, string>>): Record<string, string> {
  const given = splitNameValue(value);
  if (given.name === '' || given.value === undefined) throw new InvalidArgumentError('expected name=value');
  return { ...before, [given.name]: given.value };
}
