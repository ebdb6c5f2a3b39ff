/** The result of `npm audit signatures`. */
export function signaturesResult(
  exitCode: number,
  output: string,
): { readonly state: 'passed' | 'failed' | 'not run'; readonly text: string };
