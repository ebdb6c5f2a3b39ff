import {
  brotliDecompressSync,
  constants,
  gunzipSync,
  inflateRawSync,
  inflateSync,
  zstdDecompressSync,
} from 'node:zlib';
import { messageOf } from '../core/errors.ts';

/** A body as text, or why it cannot be read. */
export type BodyText = { readonly text: string } | { readonly text: ''; readonly problem: string };

/** Headers that define how to read a body. */
export interface BodyHeaders {
  readonly 'content-encoding'?: string | undefined;
  readonly 'content-type'?: string | undefined;
}

/**
 * Decodes a body, or its beginning, according to the headers. A body of more than `maxBytes` after
 * decompression is not read at all, so that a small body cannot use up all memory.
 */
export function bodyText(bytes: Buffer, headers: BodyHeaders, maxBytes: number): BodyText {
  const encoding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (bytes.length === 0) return { text: '' };
  try {
    return { text: decode(decompress(bytes, encoding, maxBytes), headers['content-type'] ?? '') };
  } catch (error) {
    return { text: '', problem: problemOf(error, encoding, maxBytes) };
  }
}

class UnknownEncoding extends Error {}

function problemOf(error: unknown, encoding: string, maxBytes: number): string {
  if (error instanceof UnknownEncoding) return `content-encoding "${encoding}" is not supported`;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ERR_BUFFER_TOO_LARGE') return `the decompressed body is longer than ${maxBytes} bytes`;
  return `the body is not ${encoding}: ${messageOf(error)}`;
}

/** RFC 9110, 8.4.1. For a truncated body, returns what is decodable. */
function decompress(bytes: Buffer, encoding: string, maxOutputLength: number): Buffer {
  const zlib = { maxOutputLength, finishFlush: constants.Z_SYNC_FLUSH };
  switch (encoding) {
    case '':
    case 'identity':
      return bytes;
    case 'gzip':
    case 'x-gzip':
      return gunzipSync(bytes, zlib);
    case 'deflate':
      // It should have zlib's header (RFC 1950), but often has none. The low four bits of the header's first
      // byte are the method, 8.
      return ((bytes[0] ?? 0) & 15) === 8 ? inflateSync(bytes, zlib) : inflateRawSync(bytes, zlib);
    case 'br':
      return brotliDecompressSync(bytes, { maxOutputLength, finishFlush: constants.BROTLI_OPERATION_FLUSH });
    case 'zstd':
      return zstdDecompressSync(bytes, { maxOutputLength, finishFlush: constants.ZSTD_e_flush });
    default:
      throw new UnknownEncoding();
  }
}

/**
 * As browsers do: a byte order mark decides, else the header, else UTF-8. The mark is not part of the text.
 */
function decode(bytes: Buffer, contentType: string): string {
  const [, charset = 'utf-8'] = /charset\s*=\s*"?([^\s;"]+)/i.exec(contentType) ?? [];
  const marked =
    bytes[0] === 0xff && bytes[1] === 0xfe
      ? 'utf-16le'
      : bytes[0] === 0xfe && bytes[1] === 0xff
        ? 'utf-16be'
        : undefined;
  try {
    return new TextDecoder(marked ?? charset).decode(bytes);
  } catch {
    // Unknown character set: UTF-8 is good enough, because nearly all bodies of health checks are ASCII.
    return new TextDecoder().decode(bytes);
  }
}
