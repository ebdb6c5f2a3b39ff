/**
 * Splits `name=value` at its first `=`. Without `=`, `value` is undefined; with nothing after it, `value` is
 * empty.
 */
export function splitNameValue(text: string): { readonly name: string; readonly value: string | undefined } {
  const at = text.indexOf('=');
  return at < 0 ? { name: text, value: undefined } : { name: text.slice(0, at), value: text.slice(at + 1) };
}
