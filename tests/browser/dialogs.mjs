// The follow and reply dialogs of a real bridge: readers type who they are, and arrive at their own server, each kind of
// server at the address that it asks for.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { focused, launch, onStage, open, picture, seriousFaults, stage, tabTo, told } from './browser.mjs';

let browser;
let author;

before(async () => {
  if (!stage) return;
  browser = await launch();
  const { article } = await (await fetch(`${stage.bridge}/api/v1/conversation?url=${encodeURIComponent(stage.posts.bell.url)}`)).json();
  author = article.author.id;
});

after(() => browser?.close());

const follow = () => `${stage.bridge}/follow/@maren-oldham@ferrytown.example`;
const reply = () => `${stage.bridge}/reply?id=${encodeURIComponent(stage.posts.bell.article)}`;

let readers = 0;

// Each reader comes from an address of their own, since the bridge counts what it is asked from one.
function visit(at, options = {}) {
  const { subscribe, intents, unsaid, evil } = stage.servers;
  readers += 1;
  return open(browser, at, {
    origins: [stage.bridge, ...[subscribe, intents, unsaid, evil].map((host) => `https://${host}`)],
    ignoreHTTPSErrors: true,
    extraHTTPHeaders: { 'X-Forwarded-For': `203.0.113.${readers}` },
    ...options,
  });
}

// Types who the reader is, and goes.
async function enter(page, who) {
  await tabTo(page, /^input: Your handle/);
  await page.keyboard.press('Control+A');
  await page.keyboard.type(who);
  await page.keyboard.press('Enter');
}

// What a reader enters, and where they arrive to follow and to answer; `{}` is the id.
const WAYS = () => {
  const { subscribe, intents, unsaid, evil } = stage.servers;
  const usual = (host) => `https://${host}/authorize_interaction?uri={}`;
  return [
    [`@bob@${subscribe}`, usual(subscribe), usual(subscribe)],
    [`bob@${subscribe}`, usual(subscribe), usual(subscribe)],
    [`https://${subscribe}/@bob`, usual(subscribe), usual(subscribe)],
    [`@mia@${intents}`, `https://${intents}/intents/follow?object={}`, `https://${intents}/intents/create?inReplyTo={}&content=`],
    [`@noor@${unsaid}`, usual(unsaid), usual(unsaid)],
    // A server alone is not asked.
    [unsaid, usual(unsaid), usual(unsaid)],
    // A template that would lead to a third server leads nowhere.
    [`@mallory@${evil}`, usual(evil), usual(evil)],
  ];
};

for (const javaScriptEnabled of [true, false]) {
  test(`readers arrive at their own server${javaScriptEnabled ? '' : ', without script'}`, onStage, async () => {
    for (const [who, ...wanted] of WAYS()) {
      for (const [n, at] of [follow(), reply()].entries()) {
        const { page, clean, close } = await visit(at, { javaScriptEnabled });
        await enter(page, who);
        await page.getByRole('heading', { name: /^Welcome to / }).waitFor();
        const id = encodeURIComponent(n === 0 ? author : stage.posts.bell.article);
        assert.equal(page.url(), wanted[n].replace('{}', id), who);
        clean();
        await close();
      }
    }
  });
}

test('a reply of somebody else is answered by its own id', onStage, async () => {
  const { page, clean, close } = await visit(stage.posts.bell.page);
  await page.getByRole('link', { name: /^Answer \(Chioma Okafor\)/ }).first().press('Enter');
  await page.getByRole('heading', { name: 'Answer Chioma Okafor' }).waitFor();
  await page.getByText('two bicycles and a dog').waitFor();
  const id = new URL(page.url()).searchParams.get('id');
  assert.match(id, /^https:\/\/lighthouse\.example\/users\/chioma\/statuses\/\d+$/);
  assert.equal(await page.locator('.by-hand').innerText(), id);
  await enter(page, `@bob@${stage.servers.subscribe}`);
  await page.waitForURL(`https://${stage.servers.subscribe}/authorize_interaction?uri=${encodeURIComponent(id)}`);
  clean();
  await close();
});

test('who the reader is stays on their device, and fills the next dialog in', onStage, async () => {
  const who = `@bob@${stage.servers.subscribe}`;
  const { page, context, clean, close } = await visit(follow());
  const sent = [];
  context.on('request', (request) => sent.push(`${request.method()} ${request.url()} ${request.postData() ?? ''}`));
  await enter(page, who);
  await page.getByRole('heading', { name: /^Welcome to / }).waitFor();
  await page.goto(reply());
  assert.equal(await page.getByLabel('Your handle').inputValue(), who);
  assert.deepEqual(await context.cookies(), []);
  const { origins } = await context.storageState();
  assert.deepEqual(origins.map(({ origin, localStorage }) => [origin, localStorage]), [[stage.bridge, [{ name: 'veerpont-from', value: who }]]]);
  // Told once, in the form that the reader sent.
  const tellers = sent.filter((one) => /bob/.test(decodeURIComponent(one)));
  assert.deepEqual(tellers, [`POST ${stage.bridge}/follow/maren-oldham from=${encodeURIComponent(who)}`]);
  // It is enough to go.
  await page.getByLabel('Your handle').press('Enter');
  await page.waitForURL(new RegExp(`^https://${stage.servers.subscribe}/authorize_interaction`));
  clean();
  await close();
});

test('it works where the browser keeps nothing', onStage, async () => {
  const { page, clean, close } = await visit(follow(), {
    before: (page) => page.addInitScript(() => Object.defineProperty(globalThis, 'localStorage', { get: () => { throw new DOMException('no', 'SecurityError'); } })),
  });
  await enter(page, `@bob@${stage.servers.subscribe}`);
  await page.getByRole('heading', { name: /^Welcome to / }).waitFor();
  clean();
  await close();
});

test('what leads nowhere is told in the reader’s language, and can be mended', onStage, async () => {
  const { subscribe } = stage.servers;
  const wrong = [
    ['bob', /no handle and no server/],
    ['@bob@', /no handle and no server/],
    ['javascript:alert(1)', /no handle and no server/],
    [`"><script>pwned('entered')</script>`, /no handle and no server/],
    [`@nobody@${subscribe}`, /lighthouse\.example knows nobody called nobody/],
    ['@bob@sunken.example', /sunken\.example does not answer/],
    ['@ann@ferrytown.example', /Nobody logs in here/],
    ['@bob@127.0.0.1', /127\.0\.0\.1 does not answer/],
  ];
  for (const [who, why] of wrong) {
    const { page, clean, close } = await visit(follow());
    await enter(page, who);
    const alert = page.getByRole('alert');
    await alert.waitFor();
    assert.match(await alert.innerText(), why);
    assert.equal(new URL(page.url()).origin, stage.bridge, who);
    const field = page.getByLabel('Your handle');
    assert.equal(await field.inputValue(), who);
    assert.equal(await field.getAttribute('aria-invalid'), 'true');
    assert.match(await field.evaluate((one) => one.getAttribute('aria-describedby').split(' ').map((id) => document.getElementById(id).innerText).join()), why);
    assert.match(await focused(page), /^input: /);
    assert.deepEqual(await seriousFaults(page), [], who);
    clean([told(422)]);
    await field.fill(`@bob@${subscribe}`);
    await field.press('Enter');
    await page.getByRole('heading', { name: /^Welcome to / }).waitFor();
    clean([told(422)]);
    await close();
  }
  const { page, clean, close } = await visit(follow(), { locale: 'nl-NL', viewport: { width: 360, height: 700 }, colorScheme: 'dark' });
  await page.getByLabel('Je naam').fill(`@nobody@${subscribe}`);
  await page.keyboard.press('Enter');
  assert.match(await page.getByRole('alert').innerText(), /kent niemand die nobody heet/);
  await picture(page, 'dialog-fault-dark-narrow');
  clean([told(422)]);
  await close();
});

test('an empty field is asked for by the browser, and a dialog for nobody is none', onStage, async () => {
  const { page, clean, close } = await visit(follow());
  await tabTo(page, /^input: Your handle/);
  await page.keyboard.press('Enter');
  assert.equal(await page.getByLabel('Your handle').evaluate((one) => one.validity.valueMissing), true);
  assert.equal(page.url(), follow());
  clean();
  for (const at of ['/follow/@nobody', '/reply?id=https://elsewhere.example/1', '/reply']) {
    const status = at === '/reply' ? 400 : 404;
    const answer = await page.goto(stage.bridge + at);
    assert.equal(answer.status(), status, at);
    await page.getByRole('heading', { level: 1 }).waitFor();
  }
  clean([told(404), told(400)]);
  await close();
});

test('who asks too often is told to wait', onStage, async () => {
  const { page, clean, close } = await visit(follow(), { extraHTTPHeaders: { 'X-Forwarded-For': '198.51.100.7' } });
  const ask = () => fetch(`${stage.bridge}/follow/maren-oldham`, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'X-Forwarded-For': '198.51.100.7', 'Content-Type': 'application/x-www-form-urlencoded' },
    body: `from=${encodeURIComponent(`@bob@${stage.servers.subscribe}`)}`,
  });
  const statuses = (await Promise.all(Array.from({ length: 40 }, ask))).map((answer) => answer.status);
  assert.ok(statuses.includes(303) && statuses.includes(429), statuses.join());
  await enter(page, `@bob@${stage.servers.subscribe}`);
  await page.getByText('That was often in a short time.').waitFor();
  clean([told(429)]);
  await close();
});
