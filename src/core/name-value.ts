/** `name=value` at its first `=`. `value` is undefined for a text without one, and empty for one that ends there. */
export function splitNameValue(text: string): { readonly name: string; readonly value: string | undefined } {
  const at = text.indexOf('=');
  return at < 0 ? { name: text, value: undefined } : { name: text.slice(0, at), value: text.slice(at + 1) };
}
