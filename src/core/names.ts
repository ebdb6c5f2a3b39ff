import { z } from 'zod';

/**
 * The name of a container, service, or similar, as one word of a command; a leading dash would make it an
 * option. Only its engine knows whether the name exists.
 */
export const commandWord = z
  .string()
  .regex(/^[^\s-]\S*$/, { error: 'expected a name without blanks and without a leading dash' });

/** Device names that Windows reserves, with any extension, because a run's folder may be copied there. */
const devices = /^(con|prn|aux|nul|com\d|lpt\d)(?=\.|$)/i;

/**
 * Makes a file or folder name from any text. It contains letters, digits, dots, dashes, and underscores. It
 * cannot lead to another folder, hide the file, or name a device. Texts that differ only in removed
 * characters get the same name.
 *
 * @param maxChars file systems allow 255 bytes for the whole name
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
