/** A word that the project no longer uses, and the word that replaces it (ARCHITECTURE.md, "Glossary"). */
export interface RetiredWord {
  readonly word: string;
  readonly instead: string;
  /** In comments, messages, descriptions, and pages. */
  readonly inProse?: RegExp;
  /** As a part of a name, such as `told` in `toldMs`. Lower case. */
  readonly inNames?: readonly string[];
}

/** All of them. Words that are ordinary English elsewhere are listed with the phrase in which they are retired. */
export const retiredWords: readonly RetiredWord[] = [
  { word: 'time-out', instead: 'timeout', inProse: /\btime-outs?\b/i },
  {
    word: 'mend',
    instead: 'hint, fix, or repair',
    inProse: /\bmend(s|ed|ing)?\b/i,
    inNames: ['mend', 'mends', 'mended'],
  },
  {
    word: 'look (of a probe)',
    instead: 'sample, attempt, or check',
    inProse:
      /\b(a|an|one|each|every|its|last|next|first|two|bad|good|failed|late|between|of) looks?\b(?! (like|up))/i,
    inNames: ['look', 'looks', 'looked'],
  },
  { word: 'sick', instead: 'degraded', inProse: /\bsick\b/i, inNames: ['sick'] },
  { word: 'canary', instead: 'control, or control probe', inProse: /\bcanary\b/i, inNames: ['canary'] },
  {
    word: 'doubt',
    instead: 'uncertain, or inconclusive',
    inProse: /\bdoubt(s|ed|ful)?\b/i,
    inNames: ['doubt', 'doubts', 'doubted', 'doubtful'],
  },
  { word: 'unsure', instead: 'uncertain', inProse: /\bunsure\b/i, inNames: ['unsure'] },
  { word: 'unseen', instead: 'unobserved', inProse: /\bunseen\b/i, inNames: ['unseen'] },
  { word: 'world', instead: 'observed state', inNames: ['world'] },
  { word: 'aim', instead: 'resolved step', inNames: ['aim', 'aims', 'aiming'] },
  { word: 'owed', instead: 'pending', inProse: /\bowed\b/i, inNames: ['owed', 'owe'] },
  { word: 'dead man', instead: 'auto-revert timer', inProse: /\bdead[ -]man\b/i, inNames: ['dead'] },
  {
    word: 'told',
    instead: 'reported',
    inProse: /\b(is|are|was|were|be|been|being|not) (un)?told\b|\btold (of|by|once)\b|\btells? (of|that)\b/i,
    inNames: ['told', 'untold', 'teller', 'foretell'],
  },
  { word: 'loud, quiet (of samples)', instead: 'retention', inNames: ['loud'] },
  {
    word: 'complaint',
    instead: 'problem',
    inProse: /\bcomplaints?\b/i,
    inNames: ['complaint', 'complaints'],
  },
  { word: 'unobeyed', instead: 'escaped CI commands', inProse: /\bunobeyed\b/i, inNames: ['unobeyed'] },
  { word: 'gravest', instead: 'worst', inProse: /\bgravest\b/i, inNames: ['gravest'] },
  { word: 'wants', instead: 'needs, or requires', inProse: /\bwants\b/i, inNames: ['wants', 'wanted'] },
  { word: 'unasked', instead: 'phantom', inProse: /\bunasked\b/i, inNames: ['unasked'] },
  { word: 'fate', instead: 'anomaly', inProse: /\bfates?\b/i, inNames: ['fate', 'fates'] },
  { word: 'anew', instead: 'again', inProse: /\banew\b/i, inNames: ['anew'] },
  {
    word: 'beside',
    instead: 'alongside, in parallel, or next to',
    inProse: /\bbeside\b/i,
    inNames: ['beside'],
  },
  { word: 'stands in', instead: 'is in', inProse: /\bst(and|ands|ood) (in|on|at|there)\b(?!-)/i },
  { word: 'somebody', instead: 'an operator, or someone', inProse: /\bsomebody\b/i },
  { word: 'whoever', instead: 'a person, or a program', inProse: /\bwhoever\b/i },
  { word: 'say --option', instead: 'pass --option', inProse: /\bsay(s|ing)? `?--/i },
  { word: 'as it were', instead: 'nothing', inProse: /\bas it were\b/i },
  { word: 'so that it is known', instead: 'nothing', inProse: /\bso that it is known\b/i },
  {
    word: 'come to',
    instead: 'result in, or are',
    inProse: /\bwhat (it|they|that|these) (came|comes?) to\b/i,
  },
  { word: 'ours, of ours', instead: "firedrill's", inProse: /\bof ours\b|\bour own\b/i },
  { word: 'own way', instead: "firedrill's own connection", inProse: /\bour way\b|\bown way\b/i },
];
