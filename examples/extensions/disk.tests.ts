import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineTests, localHost } from 'firedrill';

export default defineTests({
  faults: [
    {
      kind: 'disk.fill',
      setUp() {
        const folder = mkdtempSync(join(tmpdir(), 'disk-fill-'));
        return {
          host: localHost('here'),
          params: { folder, fill: '1MiB' },
          isBroken: () => readdirSync(folder).length > 0,
          tearDown: () => rmSync(folder, { recursive: true }),
        };
      },
    },
  ],
});
