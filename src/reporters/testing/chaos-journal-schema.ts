import { z } from 'zod';

// The rules of Chaos Toolkit's own journal readers, from their sources: chaostoolkit-lib 1.x (run.py, activity.py,
// hypothesis.py, and types_new.py: journal and experiment) and chaostoolkit-reporting (__init__.py and index.md: the input of
// `chaos report`). They are Python packages, which tests cannot install, so this schema replaces them.

/** `datetime.utcnow().isoformat()`. */
const date = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/);
const text = z.string().min(1);

const activity = z.object({
  type: z.enum(['probe', 'action']),
  name: text,
  provider: z.object({
    type: z.literal('process'),
    path: text,
    arguments: z.record(z.string(), z.json()).optional(),
  }),
});

/** ensure_hypothesis_tolerance_is_valid, for the tolerances that firedrill writes. */
const hypothesisProbe = activity.extend({
  type: z.literal('probe'),
  tolerance: z.union([z.boolean(), z.string()]),
});

const activityRun = z.object({
  activity,
  output: z.json(),
  status: z.enum(['succeeded', 'failed']),
  start: date,
  end: date,
  duration: z.number().nonnegative(),
});

const state = z.object({
  steady_state_met: z.boolean().nullable(),
  probes: z.array(activityRun.extend({ activity: hypothesisProbe, tolerance_met: z.boolean().nullable() })),
});

/** For tests: a journal that Chaos Toolkit's own tools can read. */
export const journalSchema = z.object({
  // get_report_template compares versions.
  'chaoslib-version': z.string().regex(/^\d+\.\d+\.\d+$/),
  platform: text,
  node: text,
  experiment: z.object({
    title: text,
    description: text,
    tags: z.array(text),
    'steady-state-hypothesis': z.object({ title: text, probes: z.array(hypothesisProbe) }),
    method: z.array(activity),
    rollbacks: z.array(activity.extend({ type: z.literal('action') })),
  }),
  start: date,
  end: date,
  duration: z.number().nonnegative(),
  status: z.enum(['completed', 'failed', 'aborted', 'interrupted']),
  deviated: z.boolean(),
  steady_states: z.object({ before: state.nullable(), after: state.nullable(), during: z.array(state) }),
  run: z.array(activityRun),
  rollbacks: z.array(activityRun),
});
