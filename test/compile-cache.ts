import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

// The compile cache of bin/firedrill.mjs, for threads that tests start. Without it, each thread loads the type stripper, a
// large WebAssembly module: at least 0.1 s. V8 once crashed on it while many threads started and stopped
// (docs/decisions/0107-tests-without-a-lab-in-one-go.md).
enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/firedrill'));
