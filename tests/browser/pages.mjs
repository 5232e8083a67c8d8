// The pages of a real bridge as readers meet them: light and dark, on a narrow screen, in two languages, by keyboard, without
// script.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, onStage, open, overhang, picture, seriousFaults, stage, tabTo, told } from './browser.mjs';

let browser;

before(async () => {
  if (stage) browser = await launch();
});

after(() => browser?.close());

const LOOKS = {
  light: { viewport: { width: 800, height: 900 }, lang: 'en' },
  dark: { viewport: { width: 800, height: 900 }, colorScheme: 'dark', lang: 'en' },
  narrow: { viewport: { width: 360, height: 800 }, locale: 'nl-NL', lang: 'nl' },
  // A folded phone, or a page at 400 %.
  tiny: { viewport: { width: 280, height: 650 }, lang: 'en' },
};

// By name: where it is, and what it says in each language. The pages of posts are those that a reader is led to.
function addresses() {
  const { bridge, posts } = stage;
  const profile = posts.bell.page.replace(/\/[^/]*$/, '');
  return {
    home: { at: `${bridge}/`, en: 'Latest posts', nl: 'Nieuwste berichten' },
    profile: { at: profile, en: 'Posts', nl: 'Berichten' },
    community: { at: `${bridge}/@sandhaven`, en: 'Posts', nl: 'Berichten' },
    post: { at: posts.bell.page, en: 'Conversation', nl: 'Gesprek' },
    quiet: { at: posts.quiet.page, en: 'Conversation', nl: 'Gesprek' },
    crowd: { at: posts.hello.page, en: 'Conversation', nl: 'Gesprek' },
    follow: { at: `${bridge}/follow/@maren-oldham@ferrytown.example`, en: 'Follow Maren Oldham', nl: 'Maren Oldham volgen' },
    reply: { at: `${bridge}/reply?id=${encodeURIComponent(posts.bell.article)}`, en: 'Answer Maren Oldham', nl: 'Maren Oldham antwoorden' },
    error: { at: `${bridge}/@nobody-at-all`, en: 'Not found', nl: 'Niet gevonden', expected: [told(404)] },
  };
}

function visit(at, options) {
  return open(browser, at, options);
}

// Headings in their order, as levels.
function levels(page) {
  return page.evaluate(() => [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map((one) => Number(one.localName[1])));
}

async function allLoaded(page) {
  await page.evaluate(async () => {
    for (const image of document.images) image.loading = 'eager';
    await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
  });
}

for (const [look, { lang, ...options }] of Object.entries(LOOKS)) {
  test(`every page is sound: ${look}`, onStage, async () => {
    for (const [name, { at, expected = [], ...words }] of Object.entries(addresses())) {
      const { page, clean, close } = await visit(at, options);
      const where = `${name}, ${look}`;
      assert.equal(await page.locator('html').getAttribute('lang'), lang, where);
      await page.getByRole('heading', { name: words[lang], exact: true }).first().waitFor();
      assert.equal(await page.getByRole('main').count(), 1, where);
      assert.ok((await page.title()).trim(), where);
      const outline = await levels(page);
      assert.equal(outline[0], 1, where);
      assert.equal(outline.filter((level) => level === 1).length, 1, where);
      // A reply's own name stands below the heading of all.
      outline.forEach((level, n) => assert.ok(n === 0 || level <= outline[n - 1] + 1, `${where}: h${outline[n - 1]}, then h${level}`));
      assert.equal(await overhang(page), 0, `${where} is wider than its window`);
      assert.deepEqual(await seriousFaults(page), [], where);
      await allLoaded(page);
      if (name !== 'crowd') await picture(page, `page-${name}-${look}`);
      await page.evaluate(() => document.querySelectorAll('details').forEach((one) => (one.open = true)));
      assert.deepEqual(await seriousFaults(page), [], `${where}, opened`);
      assert.equal(await overhang(page), 0, `${where}, opened, is wider than its window`);
      clean(expected);
      await close();
    }
  });
}

test('every page says the same without script', onStage, async () => {
  for (const [name, { at, expected = [] }] of Object.entries(addresses())) {
    const words = [];
    for (const javaScriptEnabled of [true, false]) {
      const { page, clean, close } = await visit(at, { javaScriptEnabled });
      words.push(await page.getByRole('main').innerText());
      assert.equal(await page.getByRole('link').first().isEnabled(), true, name);
      clean(expected);
      await close();
    }
    assert.ok(words[0].length > 20, name);
    assert.equal(words[1], words[0], name);
  }
});

test('nothing is asked of anybody but the bridge, and nothing is kept of the reader', onStage, async () => {
  for (const [name, { at, expected = [] }] of Object.entries(addresses())) {
    const { page, context, clean, close } = await visit(at);
    await allLoaded(page);
    assert.deepEqual(await context.cookies(), [], name);
    assert.equal(await page.evaluate(() => localStorage.length + sessionStorage.length), 0, name);
    clean(expected);
    await close();
  }
});

test('a thread stands below what it answers, with its faces, emoji and pictures', onStage, async () => {
  const { page, clean, close } = await visit(stage.posts.bell.page);
  const steps = await page.locator('.thread > li').evaluateAll((all) => all.map((one) => [one.className, one.innerText]));
  const place = (words) => steps.findIndex(([, text]) => text.includes(words));
  const first = place('Twelve minutes');
  assert.deepEqual(
    ['Twelve minutes', 'two bicycles', 'Bicycles ride for free', 'De hond mag mee', 'He only steers on Sundays', 'travel on Mondays'].map(place),
    [0, 1, 2, 3, 4, 5].map((n) => first + n),
  );
  assert.deepEqual(steps.slice(first, first + 6).map(([step]) => step), ['step0', 'step1', 'step2', 'step3', 'step4', 'step4']);
  const ours = page.locator('.thread article', { hasText: 'Bicycles ride for free' });
  await ours.getByText('Author', { exact: true }).waitFor();
  assert.equal(await ours.locator('em').textContent(), 'The dog has to ask the captain.');
  await page.locator('.thread article', { hasText: 'two bicycles' }).getByText('edited').waitFor();
  assert.equal(await page.locator('.thread article[lang=nl]').count(), 1);
  assert.equal(await page.locator('.thread article[lang=ar] .content').evaluate((one) => getComputedStyle(one).direction), 'rtl');
  await page.getByText('12 replies · 14 likes · 3 boosts').waitFor();
  await page.getByRole('list', { name: 'Liked by' }).getByRole('link', { name: /Chioma Okafor/ }).waitFor();
  await page.getByRole('list', { name: 'Liked by' }).getByText('🎉').waitFor();
  assert.equal(await page.getByRole('list', { name: 'Boosted by' }).getByRole('listitem').count(), 3);
  assert.equal(await page.getByRole('list', { name: 'Choices of a poll' }).getByRole('listitem').count(), 3);
  await page.getByRole('link', { name: 'The bell, ringing twice' }).waitFor();
  await allLoaded(page);
  const bob = page.locator('.thread article', { hasText: 'Twelve minutes' });
  assert.equal(await bob.getByRole('img', { name: ':blobboat:' }).count(), 2);
  const pictures = page.getByRole('img', { name: 'A white ferry on still water' });
  const sizes = await page.locator('main img').evaluateAll((all) => all.map((one) => [one.src, one.naturalWidth]));
  assert.equal(await pictures.count(), 1);
  assert.ok(sizes.length > 10);
  for (const [src, width] of sizes) assert.ok(width > 0 && new URL(src).origin === stage.bridge, `${src}: ${width}`);
  clean();
  await close();
});

test('what a moderator hid or its author deleted is not in the page; what answers it is', onStage, async () => {
  const { bell } = stage.posts;
  const source = await (await fetch(bell.page)).text();
  const api = await (await fetch(`${stage.bridge}/api/v1/conversation?id=${encodeURIComponent(bell.article)}`)).text();
  for (const text of [source, api]) {
    assert.ok(text.includes('deserves a plaque'));
    for (const gone of ['Cheap pills', 'seasick', 'never said this', 'Ring it at six']) assert.equal(text.includes(gone), false, gone);
  }
  const { page, clean, close } = await visit(bell.page);
  const gone = page.getByText('This reply is not there any more.');
  assert.equal(await gone.count(), 1);
  const below = page.locator('.thread > li:has(.gone) + li');
  assert.match(await below.innerText(), /deserves a plaque/);
  assert.equal(await below.getAttribute('class'), 'step1');
  clean();
  await close();
});

for (const javaScriptEnabled of [true, false]) {
  test(`warnings and sensitive pictures are folded until a key opens them${javaScriptEnabled ? '' : ', without script'}`, onStage, async () => {
    const { page, clean, close } = await visit(stage.posts.bell.page, { javaScriptEnabled });
    const secret = page.getByText('the bell is found by a child');
    const gull = page.getByRole('img', { name: 'A gull with half a sandwich' });
    assert.equal(await secret.isVisible(), false);
    assert.equal(await gull.isVisible(), false);
    await tabTo(page, /^summary: .*How the novel ends/, 200);
    await page.keyboard.press('Enter');
    await secret.waitFor();
    await tabTo(page, /^summary: Sensitive pictures/, 200);
    await page.keyboard.press('Enter');
    await gull.waitFor();
    clean();
    await close();
  });
}

test('the first key leads past what stands on every page', onStage, async () => {
  const { page, clean, close } = await visit(stage.posts.bell.page);
  await tabTo(page, /^a: Skip to the text/, 1);
  assert.equal(await page.getByRole('link', { name: 'Skip to the text' }).evaluate((one) => one.getBoundingClientRect().left >= 0), true);
  await page.keyboard.press('Enter');
  await page.waitForURL(/#main$/);
  clean();
  await close();
});

test('a long conversation has pages, and links lead through them without script', onStage, async () => {
  const { page, clean, close } = await visit(stage.posts.hello.page, { javaScriptEnabled: false });
  const replies = page.locator('.thread > li');
  assert.equal(await replies.count(), 200);
  assert.match(await replies.first().innerText(), /Remark 1,/);
  const next = page.getByRole('navigation', { name: 'Pages of the conversation' }).getByRole('link', { name: 'Newer' });
  await next.press('Enter');
  await page.waitForURL(/\?from=200#conversation$/);
  assert.equal(await replies.count(), stage.crowded - 200);
  assert.match(await replies.last().innerText(), /Remark 24[0-9],|Remark 250,/);
  await page.getByRole('navigation', { name: 'Pages of the conversation' }).getByRole('link', { name: 'Older' }).press('Enter');
  await page.waitForURL(`${stage.posts.hello.page}#conversation`);
  assert.equal(await replies.count(), 200);
  clean();
  await close();
});

test('a reader who asks for Dutch gets Dutch, dates too; what people wrote stays in its language', onStage, async () => {
  const { page, clean, close } = await visit(stage.posts.bell.page, { locale: 'nl-BE' });
  await page.getByText('12 reacties · 14 likes · 3 boosts').waitFor();
  await page.getByText('5 september 2025').first().waitFor();
  await page.getByText('Waarschuwing: How the novel ends').waitFor();
  const article = page.locator('main > article');
  assert.equal(await article.getAttribute('lang'), 'en');
  const [answer] = await page.getByRole('link', { name: /^Antwoorden \(Chioma Okafor\)/ }).all();
  assert.ok(answer);
  clean();
  await close();
});

test('the way from the home page to a reader who answers is links alone', onStage, async () => {
  const { page, clean, close } = await visit(`${stage.bridge}/`, { javaScriptEnabled: false });
  const post = page.locator('.posts > li', { hasText: 'The bell is back on board' });
  await post.getByRole('link', { name: 'Conversation' }).press('Enter');
  await page.waitForURL(stage.posts.bell.page);
  await page.getByRole('link', { name: /^Answer \(Mia\)/ }).first().press('Enter');
  await page.waitForURL(/\/reply\?id=/);
  await page.getByRole('heading', { name: 'Answer Mia' }).waitFor();
  // What carries a warning is told by its warning alone.
  await page.getByText('How the novel ends').waitFor();
  assert.equal(await page.getByText('found by a child').count(), 0);
  clean();
  await close();
});
