// The web component as a reader meets it, on a page of a site that forbids all it can forbid.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { focused, launch, open, picture, seriousFaults, startSite, strictPolicy, tabTo } from './browser.mjs';
import { POSTS, startMock } from './mock.mjs';

let browser;
let bridge;
let site;

before(async () => {
  browser = await launch();
  bridge = await startMock();
  site = await startSite(bridge);
});

after(async () => {
  await browser?.close();
  site?.close();
  bridge?.close();
});

// A post of the site with the component under it, and a mock of the bridge: thread.mjs has a real one.
async function visit(post, { attributes = '', lang, dir, head, body, policy, expect, ...options } = {}) {
  const url = bridge.posts[post] ?? POSTS[post];
  const fallback = `<a href="${bridge.bridge}/reply?id=x">Replies on the fediverse</a>`;
  const at = site.page({
    lang,
    dir,
    head,
    policy: policy ?? strictPolicy(bridge.bridge, "require-trusted-types-for 'script'"),
    body: body ?? `<p>The post.</p><veerpont-conversation url="${url}" ${attributes}>${fallback}</veerpont-conversation>`,
  });
  const opened = await open(browser, at, {
    origins: [bridge.bridge],
    ...options,
  });
  const element = opened.page.locator('veerpont-conversation');
  if (expect !== null && options.javaScriptEnabled !== false) await element.getByRole('heading', { name: expect ?? /repl|no /i }).first().waitFor();
  return { ...opened, element };
}

test('the script is at most 15 kB compressed, and is served for years and for every origin', async () => {
  const served = await fetch(bridge.script);
  assert.equal(served.status, 200);
  assert.match(served.headers.get('content-type'), /^text\/javascript/);
  assert.equal(served.headers.get('access-control-allow-origin'), '*');
  assert.match(served.headers.get('cache-control'), /immutable/);
  const size = gzipSync(Buffer.from(await served.arrayBuffer()), { level: 9 }).length;
  console.log(`the script is ${size} bytes compressed`);
  assert.ok(size <= 15_000, `${size} bytes`);
});

test('a thread is shown with its answers under what they answer', async () => {
  const { page, element, clean, close } = await visit('ferry');
  assert.equal(await element.getByRole('heading', { level: 2 }).first().textContent(), '12 replies');
  const bob = element.getByRole('article', { name: /^Bob/ }).first();
  await bob.getByText('Twelve minutes').waitFor();
  const answers = element.locator('.thread > li').first().locator(':scope > ol > li');
  assert.equal(await answers.count(), 1);
  assert.match(await answers.first().textContent(), /Chioma Okafor.*two bicycles/s);
  assert.match(await answers.first().locator(':scope > ol > li').first().textContent(), /Ann de VeerAuthor.*5 Mar 2025, 10:33.*edited/s);
  // Custom emoji stand in the name and in the text, and are read out as they are written.
  assert.equal(await bob.getByRole('img', { name: ':blobboat:' }).count(), 2);
  // What was deleted holds the place of its answers.
  const gone = element.locator('.thread > li', { hasText: 'This reply is no longer here.' });
  await gone.getByText('deserves a plaque').waitFor();
  assert.equal(await element.locator('article', { hasText: 'De hond mag mee' }).locator('[lang=nl]').count(), 1);
  assert.equal(await element.getByRole('list', { name: 'Poll' }).getByRole('listitem').count(), 3);
  assert.equal(await element.getByAltText('A white ferry at a wooden landing in the mist').count(), 1);
  assert.equal(await element.getByRole('link', { name: 'Sound: The bell, ringing twice' }).getAttribute('href'), 'https://photos.example/bell.mp3');
  assert.equal(await element.getByText('Replies on the fediverse').isVisible(), false);
  assert.equal(await page.locator('veerpont-conversation [role=status]').textContent(), '12 replies');
  clean();
  await close();
});

test('a deep thread is folded into one list that says who answers whom', async () => {
  const { element, clean, close } = await visit('ferry');
  const steers = element.getByText('He only steers on Sundays.');
  assert.equal(await steers.isVisible(), false);
  await element.getByText('2 more answers').click();
  assert.equal(await steers.isVisible(), true);
  await element.getByText('in answer to Chioma Okafor').waitFor();
  clean();
  await close();
});

test('likes and boosts show faces, and names when they are opened', async () => {
  const { element, clean, close } = await visit('ferry');
  const bob = element.locator('.reactions').getByRole('link', { name: /Bob/ });
  assert.equal(await bob.isVisible(), false);
  await element.getByText('64 likes').click();
  assert.equal(await bob.isVisible(), true);
  assert.equal(await bob.getAttribute('rel'), 'nofollow noopener ugc');
  await element.getByText('🎉').waitFor();
  await element.getByText('and 53 more').waitFor();
  await element.getByText('2 boosts').waitFor();
  clean();
  await close();
});

test('what carries a warning is folded until the reader opens it', async () => {
  const { element, clean, close } = await visit('ferry');
  const secret = element.getByText('the bell is found by a child');
  assert.equal(await secret.isVisible(), false);
  await element.getByText('How the novel ends').click();
  assert.equal(await secret.isVisible(), true);
  clean();
  await close();
});

test('a sensitive picture is neither shown nor loaded until the reader asks', async () => {
  const loaded = [];
  const { page, element, clean, close } = await visit('ferry', {
    before: (page) => page.on('request', (request) => loaded.push(request.url())),
  });
  await element.getByText('What was left of my sandwich.').scrollIntoViewIfNeeded();
  const cover = element.getByRole('button', { name: 'Show a sensitive picture' });
  const gull = element.getByAltText('A gull with half a sandwich');
  assert.equal(await gull.count(), 0);
  const pictures = loaded.length;
  await cover.focus();
  await page.keyboard.press('Enter');
  await gull.waitFor();
  assert.equal(await focused(page), 'a: ');
  await page.waitForFunction(() => [...document.querySelector('veerpont-conversation').shadowRoot.querySelectorAll('.pictures img')].every((one) => one.complete));
  assert.ok(loaded.length > pictures);
  clean();
  await close();
});

test('all of it works by keyboard alone', async () => {
  const { page, element, clean, close } = await visit('ferry');
  await tabTo(page, /^a: Reply to this post/);
  await tabTo(page, /^a: Follow @ann@example.org/);
  await tabTo(page, /^summary: 64 likes/);
  await tabTo(page, /^summary: .*How the novel ends/);
  await page.keyboard.press('Enter');
  assert.equal(await element.getByText('the bell is found by a child').isVisible(), true);
  await tabTo(page, /^a: Reply to Mia/);
  clean();
  await page.keyboard.press('Enter');
  await page.waitForURL(`${bridge.bridge}/reply?id=*`);
  await page.getByText('Reply to https://m.example/notes/8').waitFor();
  await close();
});

test('the post itself has a reply link, its author a follow link', async () => {
  const { element, clean, close } = await visit('ferry');
  const reply = new URL(await element.getByRole('link', { name: 'Reply to this post' }).getAttribute('href'));
  assert.equal(reply.origin + reply.pathname, `${bridge.bridge}/reply`);
  assert.match(reply.searchParams.get('id'), new RegExp(`^${bridge.bridge}/ap/articles/`));
  const follow = await element.getByRole('link', { name: 'Follow @ann@example.org' }).getAttribute('href');
  assert.equal(follow, `${bridge.bridge}/follow/@ann@example.org`);
  clean();
  await close();
});

test('without script the plain links stand there', async () => {
  const body = `<veerpont-conversation><a href="https://site.example/talk">Replies</a></veerpont-conversation>
    <veerpont-follow handle="@ann@example.org"><a href="https://site.example/follow">Follow Ann</a></veerpont-follow>`;
  const { page, clean, close } = await visit('ferry', { body, javaScriptEnabled: false });
  assert.equal(await page.getByRole('link', { name: 'Replies' }).isVisible(), true);
  assert.equal(await page.getByRole('link', { name: 'Follow Ann' }).isVisible(), true);
  clean();
  await close();
});

test('a script that is not the one the page names is not run, and the plain link stays', async () => {
  const tampered = (route) => route.fetch().then(async (response) => route.fulfill({ response, body: `${await response.text()}\n// more` }));
  const { element, faults, close } = await visit('ferry', { expect: null, before: (page) => page.route(bridge.script, tampered) });
  assert.equal(await element.getByText('Replies on the fediverse').isVisible(), true);
  assert.equal(await element.evaluate((one) => one.shadowRoot), null);
  assert.match(faults.join(), /integrity/);
  await close();
});

test('it speaks Dutch by attribute, by the page, and changes while it stands there', async () => {
  const { element, clean, close } = await visit('ferry', { lang: 'nl-BE', expect: /reacties/ });
  await element.getByRole('link', { name: 'Reageer op dit bericht' }).waitFor();
  await element.getByText('5 mrt 2025', { exact: false }).first().waitFor();
  await element.getByText('Waarschuwing:').waitFor();
  assert.equal(await element.locator('.box').getAttribute('lang'), 'nl');
  await element.evaluate((one) => one.setAttribute('lang', 'en'));
  await element.getByText('12 replies').first().waitFor();
  await element.evaluate((one) => one.setAttribute('lang', 'xx-not a language'));
  await element.getByText('12 replies').first().waitFor();
  clean();
  await close();
});

test('axe finds no serious fault, light and dark, with all of it opened', async () => {
  // axe takes a ground that nobody painted for white.
  const ground = site.page({ path: '/ground.css', type: 'text/css', text: ':root { color-scheme: light dark; background: Canvas; color: CanvasText; }' });
  const policy = strictPolicy(bridge.bridge).replace("style-src 'none'", `style-src ${site.origin}`);
  for (const colorScheme of ['light', 'dark']) {
    for (const post of ['ferry', 'hostile', 'paged', 'quiet']) {
      const head = `<link rel="stylesheet" href="${ground}">`;
      const { page, element, close } = await visit(post, { colorScheme, head, policy });
      await element.evaluate((one) => one.shadowRoot.querySelectorAll('details').forEach((details) => (details.open = true)));
      assert.deepEqual(await seriousFaults(page), [], `${post}, ${colorScheme}`);
      await close();
    }
  }
});

// Once where a policy would tell of any attempt, and once where nothing but the component itself stands in the way.
for (const policy of [undefined, '']) {
  test(`hostile data does nothing but stand there${policy === '' ? ', without any policy' : ''}`, async () => {
    const { page, element, clean, close } = await visit('hostile', { policy, attributes: 'loading="eager"' });
    // Nor does it hold the page up: this much of it was once four seconds' work.
    const took = await element.evaluate(async (one) => {
      const began = performance.now();
      await one.reload();
      return performance.now() - began;
    });
    assert.ok(took < 2500, `shown in ${took} ms`);
    // Everything is opened, uncovered, hovered and loaded, so that whatever lies in wait may spring.
    await element.evaluate((one) => {
      for (const details of one.shadowRoot.querySelectorAll('details')) details.open = true;
      for (const button of one.shadowRoot.querySelectorAll('button')) button.click();
      for (const at of one.shadowRoot.querySelectorAll('*')) for (const name of ['mouseover', 'focus', 'toggle', 'load', 'error']) at.dispatchEvent(new Event(name));
    });
    await element.getByText('plain').first().click();
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
    await page.waitForTimeout(300);
    const found = await element.evaluate((one) => {
      const all = [...one.shadowRoot.querySelectorAll('*')];
      return {
        scripted: all.filter((at) => at.getAttributeNames().some((name) => name.startsWith('on') || name === 'style')).map((at) => at.outerHTML),
        strange: all.map((at) => at.localName).filter((name) => /script|style|iframe|object|embed|form|input|video|base|meta|link|template|math/.test(name)),
        links: [...new Set(all.filter((at) => at.href).map((at) => new URL(at.href).protocol))],
        strangers: all.filter((at) => at.target === '_blank').every((at) => at.rel === 'nofollow noopener ugc'),
        pictures: [...new Set(all.filter((at) => at.src).map((at) => new URL(at.src).origin))],
        depth: Math.max(...all.map((at) => { let n = 0; for (let up = at; up; up = up.parentNode) n += 1; return n; })),
        wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        huge: Math.max(...[...one.shadowRoot.querySelectorAll('.content')].map((at) => at.textContent.length)),
        names: [...one.shadowRoot.querySelectorAll('.name')].map((at) => at.textContent),
      };
    });
    assert.deepEqual(found.scripted, []);
    assert.deepEqual(found.strange, []);
    assert.deepEqual(found.links.filter((one) => !/^https?:$/.test(one)), []);
    assert.equal(found.strangers, true);
    assert.deepEqual(found.pictures, [bridge.bridge].filter(() => found.pictures.length));
    assert.ok(found.depth < 80, `${found.depth} elements deep`);
    assert.equal(found.wide, 0, 'the page is wider than its window');
    assert.ok(found.huge < 101_000, `${found.huge} characters`);
    assert.ok(found.names.every((name) => name.length <= 81 && !/[\u202a-\u202e\u2066-\u2069]/.test(name)));
    // Pictures that cannot be had fall back to the text they stand for, also when they may not be asked for.
    assert.ok(found.names.includes(':bad: :far:'));
    assert.equal(await element.getByRole('link', { name: 'good link' }).getAttribute('href'), 'https://good.example/');
    assert.equal(await element.getByRole('link', { name: 'https://empty.example/' }).count(), 1);
    assert.equal(await element.getByRole('link', { name: /bad link|worse|data/ }).count(), 0);
    clean([/404.*\/media\/broken/]);
    await close();
  });
}

test('more is loaded by keyboard, and the reader goes on where it begins', async () => {
  const { page, element, clean, close } = await visit('paged');
  assert.equal(await element.getByRole('article').count(), 5);
  await tabTo(page, /^button: Load more replies/);
  await page.keyboard.press('Enter');
  await element.getByText('Remark 10').waitFor();
  assert.match(await focused(page), /^article: Bob/);
  assert.equal(await element.getByRole('status').textContent(), '5 replies were added');
  // An answer takes its place under a reply of the first page.
  assert.match(await element.locator('.thread > li').first().textContent(), /Remark 1[^0-9].*Remark 7/s);
  await tabTo(page, /^button: Load more replies/);
  await page.keyboard.press('Enter');
  await element.getByText('Remark 12').waitFor();
  assert.equal(await element.getByRole('article').count(), 12);
  assert.equal(await element.getByRole('button', { name: 'Load more replies' }).count(), 0);
  clean();
  await close();
});

test('a fault is told, and another try mends it', async () => {
  let broken = true;
  const fail = (route) => (broken ? route.fulfill({ status: 503, body: 'down', headers: { 'Access-Control-Allow-Origin': '*' } }) : route.fallback());
  const { page, element, clean, close } = await visit('paged', {
    expect: null,
    before: (page) => page.route(`${bridge.bridge}/api/**`, fail),
  });
  const status = element.getByRole('status');
  await element.getByText('The conversation could not be loaded.').waitFor();
  assert.equal(await status.textContent(), 'The conversation could not be loaded.');
  assert.equal(await element.getByText('Replies on the fediverse').isVisible(), true);
  await picture(page, 'error');
  await tabTo(page, /^button: Try again/);
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.querySelector('veerpont-conversation').shadowRoot.activeElement?.textContent === 'Try again');
  broken = false;
  await page.keyboard.press('Enter');
  await element.getByText('Remark 1', { exact: true }).waitFor();
  assert.equal(await focused(page), 'h2: 12 replies');
  assert.equal(await element.getByRole('button', { name: 'Try again' }).count(), 0);
  // A later page may fail too, and is tried again by the same button.
  broken = true;
  await element.getByRole('button', { name: 'Load more replies' }).click();
  await element.getByRole('button', { name: 'Try again' }).waitFor();
  broken = false;
  await element.getByRole('button', { name: 'Try again' }).click();
  await element.getByText('Remark 10').waitFor();
  clean([/503/]);
  await close();
});

test('a page that nobody answered says so, and keeps its plain link where nothing is known', async () => {
  const none = await visit('quiet');
  await none.element.getByText('No replies yet').first().waitFor();
  await none.element.getByText('Answer from your own account').waitFor();
  none.clean();
  await none.close();
  const unknown = await visit('unknown');
  assert.equal(await unknown.element.getByText('Replies on the fediverse').isVisible(), true);
  unknown.clean([/404/]);
  await unknown.close();
});

test('it is loaded when it comes in sight, and tells the page', async () => {
  const asked = [];
  const filler = '<p>Line</p>'.repeat(300);
  const body = `${filler}<veerpont-conversation url="${bridge.posts.ferry}">Replies</veerpont-conversation>`;
  const { page, element, clean, close } = await visit('ferry', {
    body,
    expect: null,
    before: (page) => page.on('request', (request) => /api\/v1/.test(request.url()) && asked.push(request.url())),
  });
  await page.waitForTimeout(300);
  assert.deepEqual(asked, []);
  const told = page.evaluate(() => new Promise((done) => addEventListener('veerpont:loaded', (event) => done(event.detail))));
  await element.scrollIntoViewIfNeeded();
  assert.deepEqual(await told, { replies: 12, likes: 64, boosts: 2 });
  assert.equal(asked.length, 1);
  clean();
  await close();
});

test('without a url it asks for the page that the site calls canonical', async () => {
  const head = `<link rel="canonical" href="${bridge.posts.ferry}">`;
  const { element, clean, close } = await visit('ferry', { head, body: '<veerpont-conversation heading-level="4">Replies</veerpont-conversation>' });
  assert.equal(await element.getByRole('heading', { level: 4 }).first().textContent(), '12 replies');
  assert.match(await element.getByRole('heading', { level: 5 }).first().textContent(), /Bob/);
  clean();
  await close();
});

test('names and texts that run from right to left keep to themselves', async () => {
  const { element, clean, close } = await visit('ferry');
  const layla = element.getByRole('article', { name: 'ليلى حسن' });
  const name = await layla.locator('.name bdi').evaluate((one) => [getComputedStyle(one).direction, getComputedStyle(one).unicodeBidi]);
  assert.deepEqual(name, ['rtl', 'isolate']);
  assert.equal(await layla.locator('.by').evaluate((one) => getComputedStyle(one).direction), 'ltr');
  assert.equal(await layla.locator('.content p').evaluate((one) => getComputedStyle(one).direction), 'rtl');
  assert.equal(await layla.locator('.body').getAttribute('lang'), 'ar');
  await close();
  // English words stay English on a page that runs the other way. A language that does too turns everything.
  const mirrored = await visit('ferry', { dir: 'rtl' });
  const direction = await mirrored.element.locator('.heading').evaluate((one) => getComputedStyle(one).direction);
  assert.equal(direction, 'ltr');
  await mirrored.element.locator('.box').evaluate((one) => (one.dir = 'rtl'));
  const box = mirrored.element.locator('article').first();
  const [face, words] = await Promise.all([box.locator('.avatar').boundingBox(), box.locator('.name').boundingBox()]);
  assert.ok(face.x > words.x, 'the face stands on the right');
  clean();
  mirrored.clean();
  await mirrored.close();
});

test('a long reply is folded, and unfolds by keyboard', async () => {
  const { page, element, clean, close } = await visit('long');
  const tall = () => element.locator('.content').first().evaluate((one) => one.clientHeight);
  const before = await tall();
  await tabTo(page, /^button: Show the whole reply/);
  await page.keyboard.press('Enter');
  assert.ok((await tall()) > before);
  assert.equal(await element.getByRole('button', { name: 'Show the whole reply' }).count(), 0);
  clean();
  await close();
});

test('the follow button leads to the dialog on the bridge', async () => {
  const body = `<veerpont-follow handle="@ann@example.org"><a href="/f">Follow Ann</a></veerpont-follow>
    <veerpont-follow handle="ann" lang="nl"><a href="/f">Plain link</a></veerpont-follow>`;
  const { page, clean, close } = await visit('ferry', { body, expect: null });
  assert.equal(await page.getByRole('link', { name: 'Follow Ann' }).isVisible(), false);
  assert.equal(await page.getByRole('link', { name: 'Plain link' }).isVisible(), true);
  assert.deepEqual(await seriousFaults(page), []);
  await tabTo(page, /^a: Follow @ann@example.org/);
  clean();
  await page.keyboard.press('Enter');
  await page.waitForURL(`${bridge.bridge}/follow/@ann@example.org`);
  await close();
});

test('a site gives it its own look by properties and parts', async () => {
  const text = `veerpont-conversation { --veerpont-link: rgb(160, 0, 0); --veerpont-radius: 0; --veerpont-avatar-radius: 4px; }
    veerpont-conversation::part(heading) { color: rgb(0, 90, 0); }`;
  const sheet = site.page({ path: '/own.css', type: 'text/css', text });
  const policy = strictPolicy(bridge.bridge).replace("style-src 'none'", `style-src ${site.origin}`);
  const { element, clean, close } = await visit('ferry', { head: `<link rel="stylesheet" href="${sheet}">`, policy });
  const style = (selector, name) => element.locator(selector).first().evaluate((one, name) => getComputedStyle(one)[name], name);
  assert.equal(await style('.foot a', 'color'), 'rgb(160, 0, 0)');
  assert.equal(await style('.button', 'borderRadius'), '0px');
  assert.equal(await style('.avatar', 'borderRadius'), '4px');
  assert.equal(await style('.heading', 'color'), 'rgb(0, 90, 0)');
  clean();
  await close();
});

test('nothing moves for those who asked for stillness', async () => {
  const wait = () => new Promise(() => {});
  for (const [reducedMotion, name] of [['no-preference', 'breathe'], ['reduce', 'none']]) {
    const { element, clean, close } = await visit('paged', {
      reducedMotion,
      expect: null,
      before: (page) => page.route(`${bridge.bridge}/api/**`, wait),
    });
    const status = element.getByRole('status');
    await element.getByText('Loading the conversation…').waitFor();
    assert.equal(await status.evaluate((one) => getComputedStyle(one).animationName), name);
    clean();
    await close();
  }
});

// Pictures for people to look at, on a site with a little style of its own.
test('it looks well', { skip: !process.env.VEERPONT_SCREENSHOTS && 'VEERPONT_SCREENSHOTS names no folder' }, async () => {
  const style = site.page({
    path: '/style.css',
    type: 'text/css',
    text: `:root { color-scheme: light dark; } body { margin: 0 auto; max-width: 42rem; padding: 1.5rem 1rem; font: 1.0625rem/1.6 system-ui, sans-serif; }`,
  });
  const undeclared = site.page({ path: '/night.css', type: 'text/css', text: 'body { background: #10151c; color: #dde4ee; max-width: 42rem; margin: auto; font: 1rem/1.6 serif; }' });
  const policy = strictPolicy(bridge.bridge).replace("style-src 'none'", 'style-src *');
  const linked = (sheet) => `<link rel="stylesheet" href="${sheet}">`;
  const wide = { width: 800, height: 900 };
  const shots = [
    ['light', 'ferry', { viewport: wide, head: linked(style) }],
    ['dark', 'ferry', { viewport: wide, head: linked(style), colorScheme: 'dark' }],
    ['narrow', 'ferry', { viewport: { width: 360, height: 800 }, head: linked(style), lang: 'nl' }],
    ['dark-undeclared', 'ferry', { viewport: wide, head: linked(undeclared) }],
    ['mirrored', 'ferry', { viewport: wide, head: linked(style), dir: 'rtl' }],
    ['quiet', 'quiet', { viewport: wide, head: linked(style) }],
    ['paged', 'paged', { viewport: wide, head: linked(style) }],
    ['long', 'long', { viewport: wide, head: linked(style) }],
    ['follow', 'ferry', { viewport: wide, head: linked(style), expect: null, body: '<p>Liked it? <veerpont-follow handle="@ann@example.org">Follow</veerpont-follow> or read on.</p><veerpont-conversation></veerpont-conversation>' }],
    ['hostile-styled', 'hostile', { viewport: { width: 360, height: 800 }, head: linked(style) }],
  ];
  for (const [name, post, options] of shots) {
    const { page, element, close } = await visit(post, { policy, expect: /repl|reacties/i, ...options });
    if (name === 'light') await element.evaluate((one) => one.shadowRoot.querySelectorAll('details').forEach((at) => (at.open = true)));
    await page.evaluate(async () => {
      const images = [...document.querySelector('veerpont-conversation').shadowRoot.querySelectorAll('img')];
      for (const image of images) image.loading = 'eager';
      await Promise.all(images.map((image) => image.decode().catch(() => {})));
    });
    await picture(page, name);
    await close();
  }
});
