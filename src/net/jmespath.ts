import { compile } from '@jmespath-community/jmespath';

/** Whether a text is a valid JMESPath expression. */
export function isJmesPath(expression: string): boolean {
  try {
    compile(expression);
    return true;
  } catch {
    return false;
  }
}
