import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { chromiumPath } from './chromium.ts';

/** How a reader looks at a page. */
export interface Reader {
  readonly width?: number;
  readonly colours?: 'light' | 'dark';
  /** Lets tests put scripts into the page. */
  readonly bypassPolicy?: boolean;
}

/** A page that is open, and what it did while it was opened. */
export interface OpenPage {
  readonly page: Page;
  /** Addresses that it asked for, besides its own. */
  readonly asked: readonly string[];
  /** What the browser's console said. */
  readonly said: readonly string[];
}

/** A headless browser of this machine. */
export async function startBrowser(): Promise<Browser> {
  const executablePath = chromiumPath();
  if (executablePath === undefined) throw new Error('there is no Chromium on the path');
  return chromium.launch({ executablePath });
}

/** Opens a page from a file, without a network. */
export async function openPage(
  browser: Browser,
  folder: string,
  html: string,
  reader: Reader = {},
): Promise<OpenPage> {
  const { width = 1280, colours = 'light', bypassPolicy = false } = reader;
  const path = join(folder, 'page.html');
  writeFileSync(path, html);
  const own = pathToFileURL(path).href;
  const context = await browser.newContext({
    viewport: { width, height: 800 },
    colorScheme: colours,
    bypassCSP: bypassPolicy,
    offline: true,
  });
  const page = await context.newPage();
  const asked: string[] = [];
  const said: string[] = [];
  page.on('request', (request) => {
    if (request.url() !== own && !request.url().startsWith('data:')) asked.push(request.url());
  });
  page.on('console', (message) => said.push(message.text()));
  page.on('pageerror', (error) => said.push(error.message));
  await page.goto(own);
  return { page, asked, said };
}
