// The component under a page of a site, with a real bridge behind it: what was really sent is what a reader sees.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { focused, launch, onStage, open, overhang, picture, seriousFaults, stage, startSite, strictPolicy, tabTo } from './browser.mjs';

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

// A page of the site that forbids all it can forbid, with the conversation of a post under it.
async function visit(post, { policy, head, lang, ...options } = {}) {
  const fallback = `<a href="${post.page}">Replies on the fediverse</a>`;
  const at = site.page({
    head: `<link rel="canonical" href="${post.url}">${head ?? ''}`,
    lang,
    policy: policy ?? strictPolicy(stage.bridge, "require-trusted-types-for 'script'"),
    body: `<p>The post.</p><veerpont-conversation>${fallback}</veerpont-conversation>`,
  });
  const opened = await open(browser, at, { origins: [stage.bridge], ...options });
  const element = opened.page.locator('veerpont-conversation');
  await element.getByRole('heading', { name: /repl|reacties|no /i }).first().waitFor();
  return { ...opened, element };
}

const painted = (text) => site.page({ path: '/style.css', type: 'text/css', text });

// A site with a ground of its own: axe takes one that nobody painted for white.
function styled() {
  const sheet = painted(`:root { color-scheme: light dark; background: Canvas; color: CanvasText; }
    body { margin: 0 auto; max-width: 42rem; padding: 1.5rem 1rem; font: 1.0625rem/1.6 system-ui, sans-serif; }`);
  const policy = strictPolicy(stage.bridge).replace("style-src 'none'", `style-src ${site.origin}`);
  return { head: `<link rel="stylesheet" href="${sheet}">`, policy };
}

test('a thread with an answer of the author in it, under a strict policy', onStage, async () => {
  const { element, clean, close } = await visit(stage.posts.bell);
  assert.equal(await element.getByRole('heading', { level: 2 }).first().textContent(), '12 replies');
  const first = element.locator('.thread > li', { hasText: 'Twelve minutes' });
  const answers = (item) => item.locator(':scope > ol > li');
  assert.match(await answers(first).textContent(), /Chioma Okafor.*edited.*two bicycles/s);
  assert.match(await answers(answers(first)).first().textContent(), /Maren OldhamAuthor.*Bicycles ride for free/s);
  const bob = element.getByRole('article', { name: /^Bob/ }).first();
  assert.equal(await bob.getByRole('img', { name: ':blobboat:' }).count(), 2);
  const landing = element.getByAltText('A white ferry on still water');
  await landing.scrollIntoViewIfNeeded();
  await landing.evaluate((one) => one.decode());
  assert.equal(new URL(await landing.getAttribute('src')).origin, stage.bridge);
  assert.equal(await element.getByRole('list', { name: 'Poll' }).getByRole('listitem').count(), 3);
  assert.equal(await element.locator('article [lang=nl]').count(), 1);
  await element.getByText('14 likes').click();
  await element.getByRole('link', { name: 'ليلى حسن' }).first().waitFor();
  await element.getByText('🎉').waitFor();
  await element.getByText('3 boosts').waitFor();
  clean();
  await close();
});

test('what was hidden or deleted is not there; what answers it is', onStage, async () => {
  const { element, clean, close } = await visit(stage.posts.bell);
  const text = await element.evaluate((one) => one.shadowRoot.textContent);
  for (const gone of ['Cheap pills', 'seasick', 'never said this']) assert.equal(text.includes(gone), false, gone);
  const placeholder = element.locator('.thread > li', { hasText: 'This reply is no longer here.' });
  await placeholder.getByText('deserves a plaque').waitFor();
  clean();
  await close();
});

test('by keyboard alone: a warning is opened, a reply answered, and the reader arrives at their server', onStage, async () => {
  const { subscribe } = stage.servers;
  const { page, element, clean, close } = await visit(stage.posts.bell, {
    origins: [stage.bridge, `https://${subscribe}`],
    ignoreHTTPSErrors: true,
  });
  const secret = element.getByText('the bell is found by a child');
  assert.equal(await secret.isVisible(), false);
  await tabTo(page, /^a: Follow @maren-oldham@ferrytown.example/);
  await tabTo(page, /^summary: .*How the novel ends/);
  await page.keyboard.press('Enter');
  assert.equal(await secret.isVisible(), true);
  await tabTo(page, /^button: Show a sensitive picture/);
  await page.keyboard.press('Enter');
  await element.getByAltText('A gull with half a sandwich').waitFor();
  await tabTo(page, /^a: Reply to Bob/);
  const id = new URL(await page.evaluate(() => document.querySelector('veerpont-conversation').shadowRoot.activeElement.href)).searchParams.get('id');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: /^Answer Bob/ }).waitFor();
  await tabTo(page, /^input: /);
  await page.keyboard.type(`@bob@${subscribe}`);
  await page.keyboard.press('Enter');
  await page.waitForURL(`https://${subscribe}/authorize_interaction?uri=${encodeURIComponent(id)}`);
  clean();
  await close();
});

test('a crowd comes in pages, and the reader goes on where it begins', onStage, async () => {
  const { page, element, clean, close } = await visit(stage.posts.hello);
  assert.equal(await element.getByRole('heading', { level: 2 }).first().textContent(), `${stage.crowded} replies`);
  assert.equal(await element.getByRole('article').count(), 200);
  await element.getByRole('button', { name: 'Load more replies' }).press('Enter');
  await element.getByText(`Remark ${stage.crowded},`).waitFor();
  assert.match(await focused(page), /^article: /);
  assert.equal(await element.getByRole('article').count(), stage.crowded);
  assert.equal(await element.getByRole('status').textContent(), `${stage.crowded - 200} replies were added`);
  clean();
  await close();
});

test('axe finds no serious fault, light, dark and narrow, with all of it opened', onStage, async () => {
  const looks = {
    light: { viewport: { width: 800, height: 900 } },
    dark: { viewport: { width: 800, height: 900 }, colorScheme: 'dark' },
    narrow: { viewport: { width: 360, height: 800 }, lang: 'nl' },
  };
  for (const [look, options] of Object.entries(looks)) {
    for (const [name, post] of Object.entries(stage.posts)) {
      const { page, element, close } = await visit(post, { ...styled(), ...options });
      const images = () => element.evaluate(async (one) => {
        const all = [...one.shadowRoot.querySelectorAll('img')];
        for (const image of all) image.loading = 'eager';
        await Promise.all(all.map((image) => image.decode().catch(() => {})));
      });
      await images();
      if (name === 'bell') await picture(page, `thread-${look}`);
      await element.evaluate((one) => one.shadowRoot.querySelectorAll('details').forEach((at) => (at.open = true)));
      assert.deepEqual(await seriousFaults(page), [], `${name}, ${look}`);
      assert.equal(await overhang(page), 0, `${name}, ${look}`);
      await close();
    }
  }
});
