import { z } from 'zod';

/**
 * The name of a container, a service or the like, as a word of a command: what begins with a dash would be an option. Whether
 * there is one of that name only its engine can tell.
 */
export const commandWord = z
  .string()
  .regex(/^[^\s-]\S*$/, { error: 'expected a name, without blanks and not beginning with a dash' });

/** Names that Windows keeps for devices, with any ending: a run's folder may be copied there. */
const devices = /^(con|prn|aux|nul|com\d|lpt\d)(?=\.|$)/i;

/**
 * A name for a file or folder made of any text: letters, digits, dots, dashes and underscores, nothing that leads to another
 * folder, hides the file or is a device. Texts that differ only in what is left out or cut get the same name.
 *
 * @param maxChars file systems take 255 bytes for the whole name
 */
export function fileSlug(text: string, maxChars = 80): string {
  const slug = text
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[.-]+/, '')
    .slice(0, maxChars)
    .replace(/[.-]+$/, '')
    .replace(devices, '$1_');
  return slug === '' ? 'unnamed' : slug;
}
