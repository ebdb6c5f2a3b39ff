/** Whether this is a run of all tests (`npm run test:all`). The short run has one drill of each stack and each kind of fault once. */
export const isLong = process.env['FIREDRILL_TESTS'] === 'all';
