// What every browser test stands on: one Chromium, a bridge, pages of a site beside it, and a watch over each page that
// tells afterwards what it did that it should not have done.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// VEERPONT_CHROMIUM, or what the PATH holds.
function chromiumPath() {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin'];
  const found = process.env.VEERPONT_CHROMIUM ?? folders.flatMap((folder) => names.map((name) => join(folder, name))).find(existsSync);
  assert.ok(found, 'no Chromium on this machine: install it, or say with VEERPONT_CHROMIUM where it is');
  return found;
}

// The stage that tests/browser/main.rs has set: where the bridge is, its posts, and the servers elsewhere; or nothing.
export const stage = JSON.parse(process.env.VEERPONT_STAGE ?? 'null');

// For tests that need one.
export const onStage = { skip: !stage && 'there is no real bridge: run cargo test --test browser' };

// What a page tells of itself when it is an error on purpose, and nothing else.
export const told = (status) => new RegExp(`^console: Failed to load resource: the server responded with a status of ${status} `);

// Playwright gives it a new empty folder for its profile and removes that when it is closed. The names of a stage lead to it,
// and all others nowhere.
export function launch() {
  const rules = stage?.names.map((name) => `MAP ${name}:443 ${stage.elsewhere}`) ?? [];
  return chromium.launch({
    executablePath: chromiumPath(),
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--host-resolver-rules=${[...rules, 'MAP * ~NOTFOUND', 'EXCLUDE 127.0.0.1'].join(', ')}`,
    ],
  });
}


// A site of one's own, on another origin than the bridge: `pages` maps a path to { body, head, policy, lang }.
export async function startSite({ script }) {
  const pages = new Map();
  const integrity = `sha384-${createHash('sha384').update(Buffer.from(await (await fetch(script)).arrayBuffer())).digest('base64')}`;
  const tag = `<script type="module" src="${script}" integrity="${integrity}" crossorigin="anonymous"></script>`;
  const server = createServer((request, response) => {
    const page = pages.get(new URL(request.url, 'http://site').pathname);
    if (!page) {
      // Browsers ask for an icon of their own accord, and would call a 404 an error.
      response.writeHead(request.url === '/favicon.ico' ? 204 : 404).end();
      return;
    }
    const headers = { 'Content-Type': `${page.type ?? 'text/html'}; charset=utf-8` };
    if (page.policy) headers['Content-Security-Policy'] = page.policy;
    response.writeHead(200, headers).end(page.text ?? document(page));
  });
  const document = ({ body, head = '', lang = 'en', dir = 'ltr' }) =>
    `<!doctype html><html lang="${lang}" dir="${dir}"><head><meta charset="utf-8"><title>A post</title>` +
    `<meta name="viewport" content="width=device-width, initial-scale=1">${head}${tag}</head>` +
    `<body><main><h1>A post</h1>${body}</main></body></html>`;
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  const origin = `http://127.0.0.1:${server.address().port}`;
  let count = 0;
  return {
    origin,
    integrity,
    // The address of a new page.
    page(page) {
      const path = page.path ?? `/post-${(count += 1)}`;
      pages.set(path, page);
      return origin + path;
    },
    close: () => server.close(),
  };
}

// As strict as a policy can be that lets the component in.
export function strictPolicy(bridge, more = '') {
  return `default-src 'none'; script-src ${bridge}; connect-src ${bridge}; img-src ${bridge}; style-src 'none'; base-uri 'none'; form-action 'none'; ${more}`;
}

// Opens a page under watch. `options` are Playwright's for a context; `before` is called with the page before it loads.
export async function open(browser, address, { origins, before, ...options } = {}) {
  const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/Amsterdam', ...options });
  const page = await context.newPage();
  const faults = [];
  const allowed = new Set([new URL(address).origin, ...(origins ?? [])]);
  page.on('dialog', (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on('pageerror', (error) => faults.push(`page error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`console: ${message.text()} ${message.location().url ?? ''}`);
  });
  context.on('request', (request) => {
    const url = new URL(request.url());
    if (/^https?:$/.test(url.protocol) && !allowed.has(url.origin)) faults.push(`foreign request: ${url.href}`);
  });
  if (options.javaScriptEnabled !== false) {
    await context.exposeFunction('pwned', (what) => faults.push(`script ran: ${what}`));
    await context.exposeFunction('violated', (what) => faults.push(`policy violated: ${what}`));
    await context.addInitScript(() => {
      addEventListener('securitypolicyviolation', (event) => violated(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
    });
  }
  await before?.(page);
  await page.goto(address);
  return {
    page,
    context,
    faults,
    // Nothing happened but what `expected` tells of.
    clean(expected = []) {
      assert.deepEqual(faults.filter((fault) => !expected.some((known) => known.test(fault))), []);
    },
    close: () => context.close(),
  };
}

// How much wider than its window a page is.
export function overhang(page) {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

// What axe holds to be a serious or critical fault, each with the first elements it means.
export async function seriousFaults(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return violations
    .filter((one) => one.impact === 'serious' || one.impact === 'critical')
    .map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => `${node.target.flat().join(' ')} (${node.any[0]?.message ?? ''})`).join('; ')}`);
}

// Tabs on until `there` holds of the focused element, through shadow roots; fails when the page has no such stop.
export async function tabTo(page, there, most = 80) {
  for (let n = 0; n < most; n += 1) {
    await page.keyboard.press('Tab');
    const text = await focused(page);
    if (there.test(text)) return text;
  }
  return assert.fail(`the Tab key never came to ${there}`);
}

// The name or text of what has the focus, as `tag: text`.
export function focused(page) {
  return page.evaluate(() => {
    let at = document.activeElement;
    while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
    const name = at?.getAttribute('aria-label') ?? at?.labels?.[0]?.textContent ?? at?.textContent;
    return `${at?.localName}: ${name?.trim().slice(0, 300)}`;
  });
}

// Keeps a picture of the page in the folder VEERPONT_SCREENSHOTS, when there is one.
export async function picture(page, name) {
  const folder = process.env.VEERPONT_SCREENSHOTS;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}
