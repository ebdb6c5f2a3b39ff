import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

// The cache of bin/firedrill.mjs, for threads that tests start. Without it each of them loads what strips the types, a large
// piece of WebAssembly: 0.1 s and more, and under a load of threads that come and go V8 once died of it
// (docs/decisions/0107-tests-without-a-lab-in-one-go.md).
enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/firedrill'));
