import type { WriterKind } from '../core/writer.ts';
import { httpRows } from './http.ts';
import { sqlRows } from './sql.ts';

/** Every kind of writer, one line each. Schema, `plan`, and error messages are derived from this list. */
export const writerKinds: readonly WriterKind<unknown>[] = [sqlRows, httpRows];
