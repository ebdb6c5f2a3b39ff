import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hostileTexts } from '../../src/report/testing/hostile-drill.ts';
import { openPage, type OpenPage, type Reader, startBrowser } from './lib/open-page.ts';
import { pages } from './lib/pages.ts';
import { sharedTemporaryFolder } from '../temporary-folder.ts';

const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const names = Object.keys(pages);
const folder = sharedTemporaryFolder();
let browser: Browser;

beforeAll(async () => {
  browser = await startBrowser();
});

afterAll(async () => {
  await browser.close();
});

async function opened(name: string, reader: Reader = {}) {
  return openPage(browser, folder, pages[name] ?? '', reader);
}

describe.each(names)('%s', (name) => {
  let open: OpenPage;

  beforeAll(async () => {
    open = await opened(name);
    await open.page.waitForLoadState('networkidle');
  });

  afterAll(() => open.page.context().close());

  test('makes no request and has no console message', () => {
    expect(open.asked).toEqual([]);
    expect(open.said).toEqual([]);
  });

  test.each([1280, 768, 360])('fits a screen of %i px, without overlapping axis labels', async (width) => {
    const { page } = open;
    await page.setViewportSize({ width, height: 800 });
    const { beyond, overlaps, scrollWidth } = await page.evaluate(() => {
      const limit = document.documentElement.clientWidth;
      const beyond = [...document.body.querySelectorAll('*')]
        .filter((e) => e.closest('svg svg, .hidden, thead') === null && e.checkVisibility())
        .filter((e) => e.getBoundingClientRect().right > limit + 1)
        .map((e) => `${e.localName}.${e.getAttribute('class')}`);
      const overlaps = [...document.querySelectorAll('.axis svg')].flatMap((axis) => {
        const boxes = [...axis.querySelectorAll('text')]
          .map((t) => ({ text: t.textContent, box: t.getBoundingClientRect() }))
          .filter(({ box }) => box.width > 0);
        return boxes.flatMap(({ text, box }, i) => {
          const next = boxes[i + 1];
          return next !== undefined && next.box.left < box.right ? [`${text} and ${next.text}`] : [];
        });
      });
      return { beyond, overlaps, scrollWidth: document.documentElement.scrollWidth };
    });
    expect(beyond).toEqual([]);
    expect(overlaps).toEqual([]);
    expect(scrollWidth).toBeLessThanOrEqual(width);
  });

  test('shows its verdict on the first screen of a phone', async () => {
    await open.page.setViewportSize({ width: 360, height: 800 });
    const verdict = await open.page.locator('.verdict').boundingBox();
    expect(verdict?.y).toBeLessThan(100);
  });

  test('prints in black on white', async () => {
    const { page } = open;
    const pdf = await page.pdf({ format: 'A4' });
    expect(pdf.toString('latin1').match(/\/Type\s*\/Page\b/g)?.length).toBeGreaterThan(0);
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    const colours = await page.evaluate(() => {
      const { color, backgroundColor } = getComputedStyle(document.body);
      return [color, backgroundColor];
    });
    await page.emulateMedia({ media: 'screen', colorScheme: 'light' });
    expect(colours).toEqual(['rgb(0, 0, 0)', 'rgb(255, 255, 255)']);
  });

  test('is accessible, in light mode on a screen and in dark mode on a phone', async () => {
    const { page } = await opened(name, { bypassPolicy: true });
    await page.evaluate(() => {
      for (const details of document.querySelectorAll('details')) details.open = true;
    });
    await page.addScriptTag({ path: axePath });
    for (const [colorScheme, width] of [
      ['light', 1280],
      ['dark', 360],
    ] as const) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 800 });
      const results = (await page.evaluate('axe.run(document)')) as AxeResults;
      const found = results.violations.map(
        ({ id, nodes }) =>
          `${id}: ${nodes
            .map((n) => n.html.slice(0, 200))
            .slice(0, 3)
            .join(' ')}`,
      );
      expect(found, colorScheme).toEqual([]);
      expect(results.passes.map((p) => p.id)).toContain('color-contrast');
    }
    await page.context().close();
  });
});

test.each(['a drill of certlocker', 'a drill of wazuh-lb', 'a drill of keepalived-docker'])(
  '%s shows the outage with its bounds and the longest stage on the first screen of a phone',
  async (name) => {
    const { page } = await opened(name, { width: 360 });
    for (const part of ['.rto', '.most']) {
      const box = await page.locator(`.figures ${part}`).boundingBox();
      expect((box?.y ?? Infinity) + (box?.height ?? 0)).toBeLessThan(800);
    }
    await page.context().close();
  },
);

test('times of the run are at the same position in every lane', async () => {
  const { page } = await opened('a drill of certlocker');
  const places = await page.evaluate(() => {
    const lanes = document.querySelector('.lanes')?.querySelectorAll('.band') ?? [];
    return [...lanes].map((b) => [b.getBoundingClientRect().left, b.getBoundingClientRect().width].join());
  });
  expect(places.length).toBeGreaterThan(10);
  expect(new Set(places).size).toBe(1);
  await page.context().close();
});

test('points of a trend are within their chart at every width', async () => {
  const { page } = await opened('a trend');
  for (const width of [1280, 768, 375]) {
    await page.setViewportSize({ width, height: 800 });
    const { points, stray } = await page.evaluate(() => {
      const found = [...document.querySelectorAll('.trend .point, .trend .error')].map((e) => {
        const chart = e.closest('.band')?.getBoundingClientRect() ?? new DOMRect();
        const box = e.getBoundingClientRect();
        const isIn = box.left >= chart.left - 6 && box.right <= chart.right + 6;
        return isIn && box.top >= chart.top - 1 && box.bottom <= chart.bottom + 1;
      });
      return { points: found.length, stray: found.filter((isIn) => !isIn).length };
    });
    expect(points).toBeGreaterThan(100);
    expect(stray).toBe(0);
  }
  await page.context().close();
});

describe.each(['a hostile drill', 'a failure table', 'drills of a command', 'a trend'])(
  'hostile texts in %s',
  (name) => {
    test('stay text', async () => {
      const { page } = await opened(name);
      const found = await page.evaluate(() => ({
        pwned: 'pwned' in globalThis,
        tags: [...new Set([...document.querySelectorAll('*')].map((e) => e.localName))],
        attributes: [...new Set([...document.querySelectorAll('*')].flatMap((e) => e.getAttributeNames()))],
        links: [...document.links].map((a) => a.getAttribute('href') ?? ''),
        text: document.body.textContent,
      }));
      expect(found.pwned).toBe(false);
      for (const tag of ['script', 'iframe', 'img', 'base', 'b onerror'])
        expect(found.tags).not.toContain(tag);
      expect(found.attributes.filter((a) => a.startsWith('on') || a === 'style' || a === 'src')).toEqual([]);
      for (const link of found.links) expect(link).toMatch(/^(#[a-z0-9-]*|runs\/run-1\/report\.html)$/);
      for (const text of hostileTexts.slice(0, 9)) expect(found.text).toContain(text);
      // oxlint-disable-next-line no-control-regex -- asserts that these characters are removed
      expect(found.text).not.toMatch(/[\u0000-\u0008\u000e-\u001f\u202a-\u202e\u2066-\u2069]/);
      await page.context().close();
    });
  },
);

test('the content security policy blocks unescaped HTML', async () => {
  const evil =
    '<main><p id="red" style="color:rgb(255, 0, 0)">x</p><style>p{color:rgb(255, 0, 0)}</style>' +
    '<script>globalThis.pwned = 1</script><img src="https://evil.example/a" onerror="globalThis.pwned = 2">' +
    '<link rel="stylesheet" href="https://evil.example/b"><iframe src="https://evil.example/c"></iframe>';
  const html = (pages['a watch'] ?? '').replace('<main>', evil);
  expect(html).toContain('evil.example');
  const { page, asked, said } = await openPage(browser, folder, html);
  await page.waitForLoadState('networkidle');
  expect(await page.evaluate(() => 'pwned' in globalThis)).toBe(false);
  expect(await page.locator('#red').evaluate((e) => getComputedStyle(e).color)).not.toBe('rgb(255, 0, 0)');
  expect(said.filter((line) => line.includes('Content Security Policy')).length).toBeGreaterThanOrEqual(6);
  const answered = asked.filter(
    (url) => !url.startsWith('chrome-error:') && !url.startsWith('https://evil.example/'),
  );
  expect(answered).toEqual([]);
  await page.context().close();
});
