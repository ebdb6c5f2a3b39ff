import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { chromiumPath } from './chromium.ts';

/** Browser settings of a reader. */
export interface Reader {
  readonly width?: number;
  readonly colours?: 'light' | 'dark';
  /** Allows tests to add scripts to the page. */
  readonly bypassPolicy?: boolean;
}

/** An open page, with its requests and console output. */
export interface OpenPage {
  readonly page: Page;
  /** Requested URLs, without the page's own. */
  readonly asked: readonly string[];
  /** Lines of the browser's console. */
  readonly said: readonly string[];
}

/** Starts a headless browser. */
export async function startBrowser(): Promise<Browser> {
  const executablePath = chromiumPath();
  if (executablePath === undefined) throw new Error('start Chromium: none is on PATH');
  return chromium.launch({ executablePath });
}

/** Opens a page from a file, offline. */
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
