/** Words that YAML readers take for a boolean or null. */
const reservedWords = /^(?:true|false|yes|no|on|off|null|~)$/i;

/** A text as a YAML scalar that every YAML reader reads as this text; without quotes where that is safe. */
export function yamlText(text: string): string {
  const plain = /^[A-Za-z][\w./@+-]*$/.test(text) && !reservedWords.test(text);
  return plain || /^\d+\.\d+\.\d+\.\d+$/.test(text) ? text : `'${text.replaceAll("'", "''")}'`;
}
