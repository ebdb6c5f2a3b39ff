/** A value of a field; undefined is an empty field. */
export type CsvValue = string | number | undefined;

/**
 * One record (RFC 4180), with a line feed at its end. A text that a spreadsheet would run as a formula gets a leading quote, if
 * `escapeFormulas` is set.
 */
export function csvRecord(
  values: readonly CsvValue[],
  { escapeFormulas }: { escapeFormulas: boolean },
): string {
  return `${values.map((value) => field(value, escapeFormulas)).join(',')}\n`;
}

/** First characters of formulas, among them the full-width forms, which spreadsheets read as the usual ones. */
const formula = /^[-=+@\t\r\uff1d\uff0b\uff0d\uff20]/;

function field(value: CsvValue, escapeFormulas: boolean): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const text = escapeFormulas && formula.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
