// What whoever means ill has sent, through the inbox of a real bridge: in its pages, in the component, and in its data.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, onStage, open, overhang, seriousFaults, stage, startSite, strictPolicy } from './browser.mjs';
import { NO_PICTURE, TURNING, provoke, stands } from './harm.mjs';

let browser;
let site;

before(async () => {
  if (!stage) return;
  browser = await launch();
  site = await startSite(stage);
});

after(async () => {
  await browser?.close();
  site?.close();
});

function isHarmless(found) {
  assert.deepEqual(found.scripted, []);
  assert.deepEqual(found.links.filter((one) => !/^https?:$/.test(one)), []);
  assert.deepEqual(found.free, []);
  assert.deepEqual(found.pictures.filter((origin) => origin !== stage.bridge), []);
  assert.deepEqual(found.ids, []);
  assert.ok(found.depth < 100, `${found.depth} elements deep`);
  assert.ok(found.huge < 105_000, `${found.huge} characters`);
  assert.ok(found.names.length > 10);
  for (const name of found.names) assert.ok(name.length <= 120 && !TURNING.test(name), `${name.length}: ${name}`);
  assert.equal(TURNING.test(found.titles), false);
}

const withoutPolicy = (page) =>
  page.route('**/@*/**', async (route) => {
    const response = await route.fetch();
    const { 'content-security-policy': _, ...headers } = response.headers();
    await route.fulfill({ response, headers });
  });

for (const policy of [true, false]) {
  test(`the page shows it and nothing happens${policy ? '' : ', without any policy'}`, onStage, async () => {
    const { page, clean, close } = await open(browser, stage.posts.guests.page, {
      origins: [stage.bridge],
      before: policy ? undefined : withoutPolicy,
    });
    const talk = page.locator('#conversation');
    await provoke(page, talk);
    const found = await stands(talk);
    isHarmless(found);
    assert.deepEqual(found.strange, []);
    assert.equal(await page.locator('.thread > li').count(), stage.hostile);
    await page.getByText('plain').first().waitFor();
    assert.equal(await page.getByRole('link', { name: 'good link' }).getAttribute('href'), 'https://good.example/');
    assert.equal(await page.getByRole('link', { name: /^(bad link|worse|data|odd)$/ }).count(), 0);
    assert.equal(await overhang(page), 0, 'the page is wider than its window');
    clean([NO_PICTURE]);
    await close();
  });

  test(`the component shows it and nothing happens${policy ? '' : ', without any policy'}`, onStage, async () => {
    const at = site.page({
      policy: policy ? strictPolicy(stage.bridge, "require-trusted-types-for 'script'") : undefined,
      body: `<veerpont-conversation url="${stage.posts.guests.url}" loading="eager"></veerpont-conversation>`,
    });
    const { page, clean, close } = await open(browser, at, { origins: [stage.bridge] });
    const element = page.locator('veerpont-conversation');
    await element.getByRole('heading', { name: `${stage.hostile} replies` }).waitFor();
    await provoke(page, element);
    const found = await stands(element);
    isHarmless({ ...found, free: [] });
    assert.deepEqual(found.strange.filter((name) => name !== 'svg'), []);
    await element.getByText('plain').first().waitFor();
    assert.equal(await element.getByRole('link', { name: /^(bad link|worse|data|odd)$/ }).count(), 0);
    assert.equal(await overhang(page), 0, 'the page is wider than its window');
    clean([NO_PICTURE]);
    await close();
  });
}

test('it fits a narrow screen, and axe finds no serious fault', onStage, async () => {
  for (const colorScheme of ['light', 'dark']) {
    const { page, clean, close } = await open(browser, stage.posts.guests.page, {
      origins: [stage.bridge],
      viewport: { width: 280, height: 650 },
      colorScheme,
    });
    await page.evaluate(() => document.querySelectorAll('details').forEach((one) => (one.open = true)));
    assert.equal(await overhang(page), 0);
    assert.deepEqual(await seriousFaults(page), [], colorScheme);
    if (process.env.VEERPONT_SCREENSHOTS) await page.screenshot({ path: `${process.env.VEERPONT_SCREENSHOTS}/page-guests-${colorScheme}.png` });
    clean([NO_PICTURE]);
    await close();
  }
});

test('the dialogs about it say it as a text', onStage, async () => {
  const { replies } = await (await fetch(`${stage.bridge}/api/v1/conversation?url=${encodeURIComponent(stage.posts.guests.url)}`)).json();
  const some = replies.items.filter((one, n) => n < 16 && !one.gone);
  assert.ok(some.length > 10);
  for (const { id } of some) {
    const { page, clean, close } = await open(browser, `${stage.bridge}/reply?id=${encodeURIComponent(id)}`, { origins: [stage.bridge] });
    const found = await stands(page.getByRole('main'));
    assert.deepEqual(found.scripted, []);
    assert.deepEqual(found.links.filter((one) => !/^https?:$/.test(one)), []);
    assert.deepEqual(found.strange, ['form', 'input']);
    assert.equal(await overhang(page), 0);
    assert.equal(TURNING.test(await page.title()), false);
    clean([NO_PICTURE]);
    await close();
  }
});

test('its data are data, and opened in a browser they run nothing', onStage, async () => {
  const { guests } = stage.posts;
  const uuid = guests.article.split('/').at(-1);
  const profile = guests.page.replace(/\/[^/]*$/, '');
  const paths = [
    `${stage.bridge}/api/v1/conversation?url=${encodeURIComponent(guests.url)}`,
    `${stage.bridge}/api/v1/statuses/${uuid}`,
    `${stage.bridge}/api/v1/statuses/${uuid}/context`,
    `${stage.bridge}/api/v1/statuses/${uuid}/favourited_by`,
    `${profile}/feed.atom`,
    `${profile}/feed.json`,
  ];
  for (const at of paths) {
    const answer = await fetch(at);
    assert.equal(answer.status, 200, at);
    assert.match(answer.headers.get('content-type'), /^application\/(json|feed\+json|atom\+xml)/, at);
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff', at);
    const { page, clean, close } = await open(browser, at, { origins: [stage.bridge] });
    await page.evaluate(() => document.readyState);
    clean();
    await close();
  }
  // And what is HTML in them is clean by itself, for those who show it as it is.
  const { replies } = await (await fetch(paths[0])).json();
  const { descendants } = await (await fetch(paths[2])).json();
  const pieces = [...replies.items, ...descendants].map((one) => one.content);
  assert.ok(pieces.length >= stage.hostile);
  const at = site.page({ body: '<div id="raw"></div>' });
  const { page, clean, close } = await open(browser, at, { origins: [stage.bridge] });
  const raw = page.locator('#raw');
  await raw.evaluate((one, pieces) => (one.innerHTML = pieces.map((piece) => `<div class="content">${piece}</div>`).join('')), pieces);
  await provoke(page, raw);
  const found = await stands(raw);
  assert.deepEqual(found.scripted, []);
  assert.deepEqual(found.strange, []);
  assert.deepEqual(found.links.filter((one) => !/^https?:$/.test(one)), []);
  assert.deepEqual(found.pictures, []);
  clean();
  await close();
});
