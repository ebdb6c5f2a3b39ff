import { Option } from 'commander';

/** An option that may be given several times. Its help says so, and the completion offers it again. */
export class RepeatableOption extends Option {
  /** `values`: the values that the help lists. */
  constructor(flags: string, description: string, values: readonly string[] = []) {
    const listed = values.length === 0 ? '' : `: ${values.join(', ')}`;
    super(flags, `${description}; may be given several times${listed}`);
  }
}
