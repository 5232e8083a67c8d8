// The pages of the site as Hugo builds them from the data files: what was said stands in them without any script, and what
// whoever means ill has sent stands there and does nothing.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launch, open, overhang, picture, seriousFaults, stage, startSite, tabTo } from './browser.mjs';
import { NO_PICTURE, TURNING, provoke, stands } from './harm.mjs';

const onBuilt = { skip: !stage?.built && 'there is no site: run cargo test --test browser, where there is a hugo' };

let browser;
let site;

before(async () => {
  if (!stage?.built) return;
  browser = await launch();
  site = await startSite(stage);
  // The site's policy allows no styles in pages, so they are in a stylesheet.
  const partial = new URL('../../config/hugo/layouts/partials/veerpont/style.html', import.meta.url);
  const styles = /<style>(.*)<\/style>/s.exec(readFileSync(partial, 'utf8'))[1];
  site.page({ path: '/veerpont.css', type: 'text/css', text: styles });
});

after(async () => {
  await browser?.close();
  site?.close();
});

// Such a page needs nothing but pictures, and what it looks like.
const strict = () => `default-src 'none'; img-src ${stage.bridge}; style-src ${site.origin}; base-uri 'none'; form-action 'none'`;

function visit(post, { policy, ...options } = {}) {
  const { pathname } = new URL(post.url);
  const text = readFileSync(join(stage.built, pathname, 'index.html'), 'utf8');
  return open(browser, site.page({ path: pathname, text, policy }), { origins: [stage.bridge], ...options });
}

// Each reply in the page, as [how deep it stands, its text].
const items = (page) =>
  page.locator('.veerpont-comments li[id]').evaluateAll((all) =>
    all.map((one) => {
      let depth = -1;
      for (let up = one; up; up = up.parentElement?.closest('li[id]')) depth += 1;
      return [depth, one.querySelector(':scope > article, :scope > .veerpont-gone').textContent];
    }),
  );

for (const javaScriptEnabled of [true, false]) {
  test(`a conversation stands in the page that Hugo builds${javaScriptEnabled ? '' : ', without script'}`, onBuilt, async () => {
    const { page, clean, close } = await visit(stage.posts.bell, { policy: strict(), javaScriptEnabled });
    await page.getByText('Replies: 12').waitFor();
    const all = await items(page);
    const depth = (words) => all.find(([, text]) => text.includes(words))?.[0];
    assert.deepEqual(
      ['Twelve minutes', 'two bicycles', 'Bicycles ride for free', 'De hond mag mee', 'He only steers', 'on Mondays', 'a plaque'].map(depth),
      [0, 1, 2, 3, 4, 5, 1],
    );
    const source = await page.content();
    for (const gone of ['Cheap pills', 'seasick', 'never said this', 'Ring it at six']) assert.equal(source.includes(gone), false, gone);
    assert.equal(await page.locator('.veerpont-gone').count(), 1);
    const secret = page.getByText('the bell is found by a child');
    assert.equal(await secret.isVisible(), false);
    await tabTo(page, /^summary: How the novel ends/, 200);
    await page.keyboard.press('Enter');
    await secret.waitFor();
    await page.getByRole('img', { name: 'A white ferry on still water' }).waitFor();
    assert.equal(await page.getByRole('img', { name: 'A gull with half a sandwich' }).count(), 0);
    clean();
    await close();
  });
}

test('links in it lead to the dialogs of the bridge', onBuilt, async () => {
  const { page, clean, close } = await visit(stage.posts.bell, { policy: strict() });
  await tabTo(page, /^a: Reply/, 200);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Answer Maren Oldham' }).waitFor();
  await page.goBack();
  await page.locator('.veerpont-follow').press('Enter');
  await page.getByRole('heading', { name: 'Follow Maren Oldham' }).waitFor();
  clean();
  await close();
});

test('axe finds no serious fault in what the partials add', onBuilt, async () => {
  for (const [name, viewport] of [['wide', { width: 800, height: 900 }], ['narrow', { width: 280, height: 650 }]]) {
    for (const post of ['bell', 'quiet', 'hello', 'guests']) {
      const { page, clean, close } = await visit(stage.posts[post], { viewport });
      if (post === 'bell') await picture(page, `built-${name}`);
      await page.evaluate(() => document.querySelectorAll('details').forEach((one) => (one.open = true)));
      assert.deepEqual(await seriousFaults(page), [], `${post}, ${name}`);
      assert.equal(await overhang(page), 0, `${post}, ${name}`);
      clean([NO_PICTURE]);
      await close();
    }
  }
});

for (const policy of [true, false]) {
  test(`what whoever means ill has sent does nothing${policy ? '' : ', without any policy'}`, onBuilt, async () => {
    const { page, clean, close } = await visit(stage.posts.guests, { policy: policy ? strict() : undefined });
    const section = page.locator('.veerpont-comments');
    assert.equal((await items(page)).length, stage.hostile);
    await provoke(page, section);
    const found = await stands(section);
    assert.deepEqual(found.scripted, []);
    assert.deepEqual(found.strange, []);
    assert.deepEqual(found.links.filter((one) => !/^https?:$/.test(one)), []);
    assert.deepEqual(found.pictures.filter((origin) => origin !== stage.bridge), []);
    assert.equal(TURNING.test(found.titles), false);
    const names = await section.locator('header bdi').allTextContents();
    assert.ok(names.length > 10);
    for (const name of names) assert.ok(name.length <= 300 && !TURNING.test(name), `${name.length}: ${name}`);
    await section.getByText('plain').first().waitFor();
    // Nothing of it has closed what stands around it.
    assert.equal(await page.locator('main > .veerpont-follow').count(), 1);
    assert.equal(await page.locator('main > .veerpont-comments ~ *').count(), 1);
    assert.equal(await page.locator('body > *').count(), 1);
    clean([NO_PICTURE]);
    await close();
  });
}
