/** Words that YAML readers take for something else than text. */
const otherwise = /^(?:true|false|yes|no|on|off|null|~)$/i;

/** A text as a YAML scalar that is read as this text: plain where it can be. */
export function yamlText(text: string): string {
  const plain = /^[A-Za-z][\w./@+-]*$/.test(text) && !otherwise.test(text);
  return plain || /^\d+\.\d+\.\d+\.\d+$/.test(text) ? text : `'${text.replaceAll("'", "''")}'`;
}
