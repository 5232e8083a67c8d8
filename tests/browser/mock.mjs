// A bridge that only remembers: it answers as the real one does, from conversations written down here, with the hostile ones
// uncleaned. The tests also put its answers before a real bridge's component, for what no honest bridge would say.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const script = readFileSync(new URL('../../src/web/component/veerpont.js', import.meta.url));
const hash = createHash('sha256').update(script).digest('hex').slice(0, 16);

export const SCRIPT = script;
export const POSTS = Object.fromEntries(
  ['ferry', 'paged', 'hostile', 'quiet', 'long', 'unknown'].map((name) => [name, `https://site.example/posts/${name}/`]),
);

// The answer to a request for `address` at a bridge that lives at `bridge`; null where nothing stands.
export function answer(address, bridge) {
  const url = new URL(address);
  const path = decodeURIComponent(url.pathname);
  if (path === `/assets/veerpont.${hash}.js`) {
    return reply(200, 'text/javascript', script, { 'Cache-Control': 'public, max-age=31536000, immutable' });
  }
  if (path === '/api/v1/conversation') {
    const asked = url.searchParams.get('url') ?? POSTS[url.searchParams.get('key')] ?? url.searchParams.get('id');
    const page = conversation(asked, Number(url.searchParams.get('from') ?? 0), bridge);
    if (!page) return reply(404, 'application/problem+json', JSON.stringify({ title: 'Not found', status: 404 }));
    return reply(200, 'application/json', JSON.stringify(page), { ETag: '"1"' });
  }
  if (path.startsWith('/media/broken')) return reply(404, 'text/plain', 'gone');
  if (path.startsWith('/media/')) return reply(200, 'image/svg+xml', drawing(path.slice('/media/'.length)));
  if (path === '/reply' || path.startsWith('/follow/')) {
    const what = path === '/reply' ? `Reply to ${url.searchParams.get('id')}` : path;
    return reply(200, 'text/html', `<!doctype html><html lang="en"><title>Dialog</title><link rel="icon" href="data:,"><h1>${what}</h1>`);
  }
  return null;
}

function reply(status, type, body, headers = {}) {
  return { status, headers: { 'Content-Type': type, 'Access-Control-Allow-Origin': '*', ...headers }, body };
}

export async function startMock() {
  let bridge;
  const server = createServer((request, response) => {
    const { status, headers, body } = answer(new URL(request.url, bridge), bridge) ?? reply(404, 'text/plain', 'nothing here');
    response.writeHead(status, headers).end(body);
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  bridge = `http://127.0.0.1:${server.address().port}`;
  return { bridge, script: `${bridge}/assets/veerpont.${hash}.js`, posts: POSTS, close: () => server.close() };
}

// ---- conversations --------------------------------------------------------------------------------------------------

const START = Date.UTC(2025, 2, 5, 9, 0);
const MINUTE = 60_000;

function conversation(post, from, bridge) {
  const name = Object.keys(POSTS).find((name) => POSTS[name] === post);
  const made = { ferry, paged, hostile, quiet, long }[name]?.(bridge);
  if (!made) return null;
  const { replies, size = 100, likes = [], boosts = [], author = ann(bridge) } = made;
  const next = new URL('/api/v1/conversation', bridge);
  next.searchParams.set('url', post);
  next.searchParams.set('from', String(from + size));
  return {
    article: {
      id: `${bridge}/ap/articles/${name}`,
      url: post,
      title: 'How the ferry came back',
      published: new Date(START).toISOString(),
      language: 'en',
      author,
      page: `${bridge}/@ann/${name}`,
    },
    likes: { total: made.likesTotal ?? likes.length, people: likes },
    boosts: { total: boosts.length, people: boosts },
    replies: {
      total: replies.filter((one) => !one?.gone).length,
      items: replies.slice(from, from + size),
      next: from + size < replies.length ? next.href : null,
    },
  };
}

function person(bridge, name, handle, more = {}) {
  return {
    id: `https://${handle.split('@')[2]}/users/${handle.split('@')[1]}`,
    name,
    handle,
    url: `https://${handle.split('@')[2]}/@${handle.split('@')[1]}`,
    avatar: `${bridge}/media/face-${handle.split('@')[1]}`,
    emoji: [],
    ours: false,
    ...more,
  };
}

const ann = (bridge) => person(bridge, 'Ann de Veer', '@ann@example.org', { ours: true });

function said(id, author, content, more = {}) {
  return {
    id: `https://m.example/notes/${id}`,
    url: `https://m.example/@x/${id}`,
    parent: null,
    author,
    published: new Date(START + (more.minute ?? 10) * MINUTE).toISOString(),
    updated: null,
    language: 'en',
    title: null,
    warning: null,
    sensitive: false,
    content,
    attachments: [],
    emoji: [],
    options: [],
    gone: false,
    ...more,
  };
}

const under = (id) => ({ parent: `https://m.example/notes/${id}` });

// All that an ordinary conversation may hold.
function ferry(bridge) {
  const blob = { shortcode: ':blobboat:', url: `${bridge}/media/emoji-boat` };
  const bob = person(bridge, 'Bob :blobboat:', '@bob@m.example', { emoji: [blob] });
  const chi = person(bridge, 'Chioma Okafor', '@chioma@social.example');
  const dirk = person(bridge, '', '@dirk@oever.example', { avatar: null });
  const lam = person(bridge, 'ليلى حسن', '@layla@rtl.example');
  const mia = person(bridge, 'Mia', '@mia@photos.example');
  const crowd = ['Noor', 'Otto', 'Priya', 'Quinn', 'Rosa', 'Sven', 'Tala', 'Umar', 'Vera'].map((name) =>
    person(bridge, name, `@${name.toLowerCase()}@many.example`, { reaction: null }),
  );
  return {
    likes: [{ ...bob, reaction: '🎉' }, { ...chi, reaction: null }, ...crowd],
    likesTotal: 64,
    boosts: [chi, lam],
    replies: [
      said(
        1,
        bob,
        '<p>I took the first crossing this morning. <strong>Twelve minutes</strong>, and the captain still rings the bell :blobboat:</p><p>Timetable: <a href="https://ferry.example/timetable"><span class="invisible">https://</span><span class="ellipsis">ferry.example/timet</span><span class="invisible">able</span></a></p>',
        { emoji: [blob], minute: 14 },
      ),
      said(2, chi, '<p>Was it crowded? I am thinking of going with two bicycles and a dog.</p>', { ...under(1), minute: 21 }),
      said(3, ann(bridge), '<p>Bicycles ride for free until May. <em>The dog has to ask the captain.</em></p>', {
        ...under(2),
        minute: 33,
        updated: new Date(START + 40 * MINUTE).toISOString(),
      }),
      said(4, dirk, '<p>De hond mag mee, zolang hij niet aan het roer zit.</p>', { ...under(3), minute: 55, language: 'nl' }),
      said(5, chi, '<p>He only steers on Sundays.</p>', { ...under(4), minute: 58 }),
      said(6, bob, '<p>Then I shall travel on Mondays.</p>', { ...under(5), minute: 62 }),
      said(7, lam, '<p>كانت الرحلة جميلة، والنهر هادئ. شكرا على المقال!</p>', { minute: 70, language: 'ar' }),
      said(8, mia, '<p>In the last paragraph of the book the ferry sinks and the bell is found by a child.</p>', {
        minute: 80,
        warning: 'How the novel ends',
      }),
      said(9, null, '', { minute: 85, gone: true }),
      said(10, chi, '<p>I agree with what you say, and would add that the old landing stage deserves a plaque.</p>', { ...under(9), minute: 90 }),
      said(11, mia, '<p>The landing at seven, and the view from the bridge:</p>', {
        minute: 100,
        attachments: [
          {
            url: 'https://photos.example/landing.jpg',
            media_type: 'image/jpeg',
            alt: 'A white ferry at a wooden landing in the mist',
            preview: `${bridge}/media/view-landing`,
          },
          { url: 'https://photos.example/bell.mp3', media_type: 'audio/mpeg', alt: 'The bell, ringing twice', preview: null },
        ],
      }),
      said(12, dirk, '<p>What was left of my sandwich.</p>', {
        minute: 110,
        sensitive: true,
        attachments: [
          { url: 'https://oever.example/gull.jpg', media_type: null, alt: 'A gull with half a sandwich', preview: `${bridge}/media/view-gull` },
        ],
      }),
      said(13, bob, '<p>Which crossing will you take?</p>', { minute: 120, options: ['The first, with the bell', 'The last, with the lights', 'I swim'] }),
    ],
  };
}

// Twelve replies in three pages; an answer stands on a later page than what it answers.
function paged(bridge) {
  const bob = person(bridge, 'Bob', '@bob@m.example');
  const replies = Array.from({ length: 12 }, (_, n) => said(100 + n, bob, `<p>Remark ${n + 1}</p>`, { minute: n }));
  replies[6].parent = replies[0].id;
  return { replies, size: 5 };
}

function quiet() {
  return { replies: [] };
}

function long(bridge) {
  const bob = person(bridge, 'Bob', '@bob@m.example');
  return { replies: [said(300, bob, `<p>${'All about ferries. '.repeat(20)}</p>`.repeat(30)), said(301, bob, '<p>Shorter.</p>')] };
}

// What a hostile server might send, had the bridge let it through. Whatever calls `pwned` has won.
function hostile(bridge) {
  const evil = "javascript:pwned('link')";
  const attribute = `"><img src=x onerror="pwned('attribute')"><script>pwned('attribute')</script>`;
  const foreign = 'https://tracker.example/pixel.png';
  const mallory = (more) => person(bridge, 'Mallory', '@mallory@evil.example', more);
  const chain = Array.from({ length: 60 }, (_, n) =>
    said(600 + n, mallory(), `<p>Deeper ${n}</p>`, { ...(n ? under(599 + n) : {}), minute: 30 + n }),
  );
  return {
    author: { ...ann(bridge), url: evil },
    likes: [{ ...mallory({ name: attribute, url: evil, avatar: foreign }), reaction: attribute }, null, 7],
    replies: [
      said(
        500,
        mallory(),
        `<p onclick="pwned('click')" onmouseover="pwned('over')">plain</p>
        <script>pwned('script')</script><style>body{background:url(${foreign})}</style>
        <img src="${foreign}" onerror="pwned('image')"><svg onload="pwned('svg')"><script>pwned('svg')</script></svg>
        <iframe src="${evil}" srcdoc="<script>parent.pwned('frame')</script>"></iframe><object data="${foreign}"></object>
        <math><mtext></p><style><!--</style><img title="--&gt;&lt;img src onerror=pwned('mutation')&gt;"></mtext></math>
        <form action="${foreign}"><input name="childNodes"><input name="localName"><input name="nodeType" autofocus onfocus="pwned('focus')"></form>
        <img name="body"><img name="documentElement"><a id="x" href="${evil}">bad link</a> <a href="JaVaScRiPt:pwned(1)">worse</a>
        <a href="data:text/html,<script>pwned('data')</script>">data</a> <a href="https://good.example/" onclick="pwned('a')" target="_self">good link</a>
        <a href="https://empty.example/"></a><ul><p>loose</p>text</ul><li>stray</li><template><script>pwned('template')</script></template>
        <video src="${foreign}" autoplay onloadstart="pwned('video')"></video><base href="https://evil.example/"><meta http-equiv="refresh" content="0;url=${foreign}">
        <link rel="stylesheet" href="${foreign}"><details open ontoggle="pwned('toggle')">x</details><slot name="x">slot</slot>`,
        { minute: 1, language: attribute, title: attribute },
      ),
      said(501, mallory({ name: 'A'.repeat(300), handle: `@${'b'.repeat(300)}@evil.example` }), '<p>A long name</p>', { minute: 2 }),
      said(502, mallory({ name: '\u202eReversed\u2066\u202d', avatar: `${bridge}/media/broken-face` }), '<p>Direction</p>', { minute: 3 }),
      said(503, mallory({ name: attribute, handle: attribute, url: evil, avatar: evil, id: evil }), '<p>Attributes</p>', {
        minute: 4,
        url: evil,
        warning: attribute,
        published: attribute,
        updated: attribute,
        options: [attribute, { text: 1 }, null],
        attachments: [
          { url: evil, media_type: 'image/png', alt: attribute, preview: foreign },
          { url: evil, media_type: attribute, alt: null, preview: evil },
          { url: evil, media_type: 'image/png', alt: attribute, preview: `${bridge}/media/broken-view` },
          null,
        ],
      }),
      said(504, mallory(), `<p>Huge ${'word '.repeat(210_000)}</p>`, { minute: 5 }),
      said(505, mallory({ name: ':bad: :far:', emoji: [{ shortcode: ':bad:', url: `${bridge}/media/broken-emoji` }, { shortcode: ':far:', url: foreign }] }), '<p>Emoji :x:</p>', {
        minute: 6,
        emoji: [{ shortcode: ':x:', url: evil }, null, { shortcode: '', url: 3 }],
      }),
      said(506, mallory(), '<b>'.repeat(20_000) + 'deep', { minute: 7 }),
      said(507, mallory(), `<p>${'w'.repeat(5000)}</p>`, { minute: 8 }),
      said(508, null, null, { minute: 9, published: null, attachments: 'none', emoji: {}, options: 3 }),
      { id: 'https://m.example/notes/509', parent: 'https://m.example/notes/509' },
      { id: 510 },
      null,
      'reply',
      said(511, mallory({ name: { toString: 'x' }, handle: 4, url: [] }), '<p>Odd types</p>', { minute: 10, id: '__proto__' }),
      ...chain,
    ],
  };
}

// A picture to look at, told by its name.
function drawing(name) {
  let sum = 7;
  for (const letter of name) sum = (sum * 31 + letter.charCodeAt(0)) % 360;
  const open = (w, h) => `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}">`;
  if (name.startsWith('emoji')) {
    return `${open(32, 32)}<path d="M3 19h26l-5 9H8z" fill="#c0392b"/><path d="M15 3v14H5z" fill="#e0a030"/><path d="M17 6v11h9z" fill="#f2d28a"/></svg>`;
  }
  if (name.startsWith('view')) {
    return `${open(640, 400)}<rect width="640" height="400" fill="hsl(${sum} 35% 78%)"/><path d="M0 250q160-40 320 0t320 0v150H0z" fill="hsl(${sum} 30% 55%)"/><path d="M220 210h200l-30 50H250z" fill="#fff"/><path d="M270 170h100v40H270z" fill="#eee"/></svg>`;
  }
  return `${open(80, 80)}<rect width="80" height="80" fill="hsl(${sum} 45% 70%)"/><circle cx="40" cy="32" r="15" fill="hsl(${sum} 40% 35%)"/><path d="M10 80a30 28 0 0 1 60 0z" fill="hsl(${sum} 40% 35%)"/></svg>`;
}
