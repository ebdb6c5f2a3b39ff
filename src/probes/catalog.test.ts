import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { laneOf } from '../core/probe-lane.ts';
import { probeKind, probeKinds } from './catalog.ts';

describe('probe catalog', () => {
  it('finds each kind by its own name', () => {
    expect(probeKinds.map((kind) => probeKind(kind.kind))).toEqual(probeKinds);
    expect(probeKind('telepathy')).toBeUndefined();
  });

  it('runs each kind in the thread that the analysis assumes', () => {
    expect(probeKinds.map(({ kind }) => laneOf(kind))).toEqual(probeKinds.map(({ lane }) => lane));
  });

  it('describes each field of each kind in the JSON Schema, and refuses unknown ones', () => {
    const faults = probeKinds.flatMap(({ kind, params }) => {
      const schema = z.toJSONSchema(params, { io: 'input' });
      const open = schema.additionalProperties === false ? [] : [`${kind} takes unknown fields`];
      const bare = Object.entries(schema.properties ?? {})
        .filter(([, field]) => typeof field === 'boolean' || field.description === undefined)
        .map(([name]) => `${kind}.${name} has no description`);
      return [...open, ...bare];
    });
    expect(faults).toEqual([]);
  });
});
