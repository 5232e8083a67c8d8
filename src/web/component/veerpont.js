// What the fediverse says about a post, under that post: <veerpont-conversation>, and <veerpont-follow> beside it.
// One module without dependencies or build step; docs/component.md tells how to use it.
//
// One rule keeps strangers' data harmless: everything is made with createElement and text nodes, and no markup is ever handed
// to the browser. What a stranger wrote is read here and built anew from a list of plain elements.

// A language that is written from right to left also says `dir: 'rtl'`.
const LANGUAGES = {
  en: {
    loading: 'Loading the conversation…',
    failed: 'The conversation could not be loaded.',
    retry: 'Try again',
    none: 'No replies yet',
    invitation: 'Answer from your own account on Mastodon or another server of the fediverse.',
    replies: { one: '{n} reply', other: '{n} replies' },
    likes: { one: '{n} like', other: '{n} likes' },
    boosts: { one: '{n} boost', other: '{n} boosts' },
    others: { one: 'and {n} more', other: 'and {n} more' },
    reply: 'Reply',
    replyTo: 'Reply to {name}',
    replyToPost: 'Reply to this post',
    follow: 'Follow {name}',
    edited: 'edited',
    editedAt: 'edited {date}',
    author: 'Author',
    someone: 'Someone',
    gone: 'This reply is no longer here.',
    inAnswerTo: 'in answer to {name}',
    warning: 'Warning:',
    cover: 'Show a sensitive picture',
    picture: 'Picture without a description',
    image: 'Picture',
    video: 'Video',
    audio: 'Sound',
    file: 'Attachment',
    poll: 'Poll',
    deeper: { one: '{n} more answer', other: '{n} more answers' },
    more: 'Load more replies',
    added: { one: '{n} reply was added', other: '{n} replies were added' },
    unfold: 'Show the whole reply',
    elsewhere: 'Read on where it was written',
  },
  nl: {
    loading: 'Het gesprek wordt geladen…',
    failed: 'Het gesprek kon niet worden geladen.',
    retry: 'Opnieuw proberen',
    none: 'Nog geen reacties',
    invitation: 'Reageer met je eigen account op Mastodon of een andere server van de fediverse.',
    replies: { one: '{n} reactie', other: '{n} reacties' },
    likes: { one: '{n} like', other: '{n} likes' },
    boosts: { one: '{n} boost', other: '{n} boosts' },
    others: { one: 'en nog {n}', other: 'en nog {n}' },
    reply: 'Reageer',
    replyTo: 'Reageer op {name}',
    replyToPost: 'Reageer op dit bericht',
    follow: 'Volg {name}',
    edited: 'bewerkt',
    editedAt: 'bewerkt op {date}',
    author: 'Auteur',
    someone: 'Iemand',
    gone: 'Deze reactie is er niet meer.',
    inAnswerTo: 'in antwoord op {name}',
    warning: 'Waarschuwing:',
    cover: 'Toon een gevoelige afbeelding',
    picture: 'Afbeelding zonder beschrijving',
    image: 'Afbeelding',
    video: 'Video',
    audio: 'Geluid',
    file: 'Bijlage',
    poll: 'Peiling',
    deeper: { one: 'nog {n} antwoord', other: 'nog {n} antwoorden' },
    more: 'Meer reacties laden',
    added: { one: '{n} reactie erbij', other: '{n} reacties erbij' },
    unfold: 'Toon de hele reactie',
    elsewhere: 'Lees verder waar het geschreven is',
  },
};

// Colours are mixed from the text's own, so that they fit a light and a dark site without asking which it is.
const STYLE = `
:host { display: block; min-inline-size: min(100%, 15rem); }
:host(veerpont-follow) { display: inline-block; min-inline-size: 0; max-inline-size: 100%; }
:host(veerpont-follow) .box { container-type: normal; }
:host([hidden]), [hidden] { display: none !important; }
*, ::before, ::after { box-sizing: border-box; }
.box {
  --ink: var(--veerpont-ink, currentColor);
  --quiet: var(--veerpont-quiet, color-mix(in srgb, currentColor 74%, transparent));
  --line: var(--veerpont-line, color-mix(in srgb, currentColor 18%, transparent));
  --wash: var(--veerpont-wash, color-mix(in srgb, currentColor 5%, transparent));
  --link: var(--veerpont-link, color-mix(in oklab, currentColor 35%, #1273d0));
  --radius: var(--veerpont-radius, .5rem);
  --avatar: var(--veerpont-avatar, 2.5rem);
  container-type: inline-size;
  color: var(--ink);
  font: var(--veerpont-font, inherit);
  line-height: 1.55;
  overflow-wrap: anywhere;
  text-align: start;
}
a { color: var(--link); text-underline-offset: .15em; text-decoration-thickness: 1px; }
a:hover { text-decoration-thickness: 2px; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 3px; }
article:focus, .heading:focus { outline: none; }
article:focus-visible { outline: 3px solid var(--link); }
p, ol, ul, h1, h2, h3, h4, h5, h6, blockquote, pre, figure { margin: 0; }
ol[role], ul[role] { list-style: none; padding: 0; }
svg { width: 1.1em; height: 1.1em; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round;
  stroke-linejoin: round; vertical-align: -.18em; flex: none; }
summary { cursor: pointer; }
.quiet { color: var(--quiet); font-size: .875em; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.emoji { height: 1.3em; width: auto; max-width: 6em; vertical-align: -.28em; object-fit: contain; }

.button {
  display: inline-flex; align-items: baseline; gap: .45em; max-width: 100%; min-height: 2.25em; padding: .3em .9em;
  border: 1px solid var(--link); border-radius: var(--radius); background: none; color: var(--link);
  font: inherit; font-size: .9375em; font-weight: 600; line-height: 1.3; text-align: start; text-decoration: none; cursor: pointer;
}
.button svg { align-self: center; }
.button:hover { background: var(--wash); text-decoration: underline; }
.button[aria-disabled=true] { opacity: .6; cursor: progress; }

.head { display: flex; flex-wrap: wrap; align-items: center; gap: .6rem 1.5rem; }
.heading { font-size: 1.25em; line-height: 1.3; font-weight: 700; flex: 1 1 auto; }
.actions { display: flex; flex-wrap: wrap; gap: .5rem; max-width: 100%; }
.invitation { margin-block-start: .5rem; }

.reactions { display: flex; flex-wrap: wrap; align-items: flex-start; gap: .5rem; margin-block-start: 1rem; }
.reactions:empty { display: none; }
.reactions details { max-width: 100%; border: 1px solid var(--line); border-radius: var(--radius); }
.reactions details[open] { flex-basis: 100%; }
.reactions summary { display: flex; flex-wrap: wrap; align-items: center; gap: .25rem .5rem; padding: .35rem .75rem;
  font-size: .9375em; list-style: none; }
.reactions summary::-webkit-details-marker { display: none; }
.reactions summary::after { content: ""; width: .4em; height: .4em; margin-inline: .15em; border: solid currentColor; border-width: 0 2px 2px 0;
  transform: translateY(-.1em) rotate(45deg); }
.reactions [open] summary::after { transform: translateY(.1em) rotate(225deg); }
.faces { display: inline-flex; padding-inline-start: .4rem; }
.faces > * { margin-inline-start: -.4rem; }
.people { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(14rem, 100%), 1fr)); gap: .4rem 1rem;
  padding: .5rem .75rem .75rem !important; border-block-start: 1px solid var(--line); }
.people li { display: flex; align-items: center; gap: .5rem; min-width: 0; }

.avatar { display: inline-grid; place-items: center; flex: none; width: var(--avatar); height: var(--avatar); object-fit: cover; overflow: hidden;
  border-radius: var(--veerpont-avatar-radius, 50%); background: var(--line); font-weight: 600; line-height: 1; user-select: none; }
.small { --avatar: 1.6rem; font-size: .75em; }

.thread { margin-block-start: 1.25rem; border-block-start: 1px solid var(--line); }
.thread > li { padding-block: 1.1rem; border-block-end: 1px solid var(--line); }
.answers { margin-block-start: 1.1rem; margin-inline-start: calc(var(--avatar) / 2 - 1px); padding-inline-start: 1.1rem !important;
  border-inline-start: 2px solid var(--line); }
.answers > li + li { margin-block-start: 1.1rem; }
.deeper { margin-block-start: .9rem; margin-inline-start: calc(var(--avatar) + .75rem); }
.deeper > summary { width: fit-content; color: var(--link); font-size: .9375em; font-weight: 600; }
.deeper > .answers { margin-inline-start: 0; }

article { display: grid; grid-template-columns: var(--avatar) minmax(0, 1fr); column-gap: .75rem; overflow: clip; overflow-clip-margin: .5rem; }
.by { min-width: 0; line-height: 1.35; }
.name { display: inline; font-size: 1em; font-weight: 700; line-height: inherit; }
.name a { color: inherit; text-decoration: none; }
.name a:hover { text-decoration: underline; }
.badge { display: inline-block; margin-inline-start: .4em; padding: 0 .5em; border: 1px solid var(--link); border-radius: 1em; color: var(--link);
  font-size: .75em; font-weight: 600; vertical-align: .1em; }
.meta { display: flex; flex-wrap: wrap; gap: 0 .8em; margin-block-start: .1rem; }
.meta a { color: inherit; text-decoration: none; }
.meta a:hover { text-decoration: underline; }
.body { grid-column: 2; min-width: 0; margin-block-start: .4rem; }
.gone { display: block; padding: .6rem .9rem; border: 1px dashed var(--line); border-radius: var(--radius); }
.title { font-weight: 700; }

.content > * + *, .body > * + *, .body details > * + * { margin-block-start: .6em; }
.content > :is(ul, ol) { padding-inline-start: 1.5em; }
.content :is(h2, h3, h4, h5, h6) { font-size: 1em; line-height: 1.4; }
.content blockquote { padding-inline-start: .9em; border-inline-start: 3px solid var(--line); }
.content pre { max-width: 100%; padding: .6em .8em; border-radius: var(--radius); background: var(--wash); white-space: pre-wrap; }
.content code { font-size: .9em; }
.content .ellipsis::after { content: "…"; }
.long .content { max-height: 22rem; overflow: hidden; mask-image: linear-gradient(#000 75%, transparent); }
.warning > summary { padding: .45rem .75rem; border-radius: var(--radius); background: var(--wash); border: 1px solid var(--line); }
.pictures { display: flex; flex-wrap: wrap; gap: .5rem; }
.pictures > * { display: grid; max-width: min(100%, 24rem); }
.pictures img { display: block; max-width: 100%; max-height: 18rem; border-radius: var(--radius); background: var(--wash); }
.cover { place-items: center; min-height: 7rem; width: 16rem; border-style: dashed; border-color: var(--quiet); color: inherit; background: var(--wash);
  align-items: center; justify-content: center; text-align: center; }
.poll { display: grid; gap: .35rem; }
.poll li { padding: .3rem .75rem; border-radius: var(--radius); background: var(--wash); }
.foot { grid-column: 2; margin-block-start: .45rem; font-size: .875em; }
.foot a { font-weight: 600; text-decoration: none; }
.foot a:hover { text-decoration: underline; }
.foot svg { width: 1em; height: 1em; }
.notice { display: flex; flex-wrap: wrap; align-items: center; gap: .75rem; margin-block-start: 1rem; }
.notice:not(:has(> :not([hidden], .unseen))) { margin: 0; }

@container (max-width: 30rem) {
  .actions, .actions > * { flex: 1 1 auto; justify-content: center; }
  article > .body, article > .foot { grid-column: 1 / -1; }
  .answers { --avatar: 2rem; margin-inline-start: 0; padding-inline-start: .7rem !important; }
  .deeper { margin-inline-start: 0; }
}
@media (prefers-reduced-motion: no-preference) {
  .busy { animation: breathe 1.6s ease-in-out infinite; }
  @keyframes breathe { 50% { opacity: .55; } }
}
@media (forced-colors: active) { .badge, .avatar { border: 1px solid; } }
@media print { .actions, .foot, .notice { display: none; } }
`;

const ICONS = {
  reply: 'M9 7 4 12l5 5M4 12h10a6 6 0 0 1 6 6v1',
  follow: 'M12 5v14M5 12h14',
  like: 'M12 20S4 15 4 9.3A4.3 4.3 0 0 1 12 7a4.3 4.3 0 0 1 8 2.3C20 15 12 20 12 20z',
  boost: 'm4 9 3-3 3 3M7 6v9a2 2 0 0 0 2 2h5M20 15l-3 3-3-3M17 18V9a2 2 0 0 0-2-2h-5',
};

// Answers are indented this many times; what goes deeper is folded into one flat list.
const NESTED = 3;
// Characters of a reply that are shown at all, and beyond which its end is folded.
const MOST = 100_000;
const LONG = 3_000;
const MOST_EMOJI = 100;
const PATIENCE = 20_000;

// ---- text -----------------------------------------------------------------------------------------------------------

const list = (value, most) => (Array.isArray(value) ? value.slice(0, most) : []);

// Control characters, and those that turn the direction of what follows: in a name they only deceive.
const CONTROLS = /[\0-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]/g;

function plain(value, most = 500) {
  if (typeof value !== 'string') return '';
  const whole = value.slice(0, most + 1).replace(CONTROLS, '');
  return value.length > most ? `${whole.slice(0, most).replace(/[\ud800-\udbff]$/, '')}…` : whole;
}

// The words of one language, and its way of writing dates and numbers.
class Tongue {
  constructor(wanted) {
    const primary = wanted.toLowerCase().split('-')[0];
    this.code = Object.hasOwn(LANGUAGES, primary) ? primary : 'en';
    this.words = LANGUAGES[this.code];
    // Where the page names no country, the reader's own way of writing dates in that language is taken.
    const own = navigator.languages?.find((one) => one.split('-')[0] === this.code);
    this.locale = (wanted.includes('-') && primary === this.code && canonical(wanted)) || own || this.code;
    this.plural = new Intl.PluralRules(this.locale);
    this.number = new Intl.NumberFormat(this.locale);
    this.date = new Intl.DateTimeFormat(this.locale, { dateStyle: 'medium', timeStyle: 'short' });
  }

  // What stands in braces is replaced; `n` also chooses among the forms of a plural.
  say(key, values = {}) {
    const forms = this.words[key];
    const form = typeof forms === 'string' ? forms : (forms[this.plural.select(values.n)] ?? forms.other);
    return form.replace(/\{(\w+)\}/g, (_, name) => (name === 'n' ? this.number.format(values.n) : values[name]));
  }

  time(value) {
    const at = new Date(typeof value === 'string' ? value : NaN);
    if (Number.isNaN(at.getTime())) return null;
    return el('time', { datetime: at.toISOString() }, this.date.format(at));
  }
}

function canonical(tag) {
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? null;
  } catch {
    return null;
  }
}

// ---- elements -------------------------------------------------------------------------------------------------------

function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? '' : value);
  }
  made.append(...children.filter((child) => child !== null && child !== ''));
  return made;
}

function icon(name) {
  const space = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(space, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(space, 'path');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}

function button(text, press) {
  const made = el('button', { type: 'button', class: 'button', part: 'button' }, text);
  // While it works a button stays where it is, so that the focus does too.
  made.addEventListener('click', () => made.getAttribute('aria-disabled') === 'true' || press(made));
  return made;
}

function webAddress(value) {
  try {
    const address = new URL(value);
    return /^https?:$/.test(address.protocol) ? address : null;
  } catch {
    return null;
  }
}

// Strangers' links lead to the web or nowhere.
function outward(address, attributes, ...children) {
  const href = webAddress(address)?.href;
  if (!href) return el('span', attributes, ...children);
  return el('a', { ...attributes, href, rel: 'nofollow noopener ugc', target: '_blank' }, ...children);
}

// Pictures come from the bridge alone: no reader is made to call on a stranger's server.
function picture(bridge, address, attributes, instead) {
  const at = webAddress(address);
  if (at?.origin !== bridge) return null;
  const made = el('img', { ...attributes, src: at.href, loading: 'lazy', decoding: 'async', referrerpolicy: 'no-referrer' });
  made.addEventListener('error', () => made.replaceWith(instead()), { once: true });
  return made;
}

// ---- what strangers wrote -------------------------------------------------------------------------------------------

// The browser's parser is not asked: even in an inert document it reports to a strict policy what it meets. The bridge's
// cleaner writes plain, closed tags, and whatever else might come is text, or is left out.
const KEPT = new Set(
  'a p br span ul ol li blockquote pre code em strong b i u del s sub sup ruby rt rp h2 h3 h4 h5 h6'.split(' '),
);
const BLOCK = /^(p|[ou]l|li|blockquote|pre|h\d)$/;
const DROPPED = /^(script|style|template|noscript|iframe|object|embed|svg|math|title|textarea|select)$/;
const TAG = /^<(\/?)([a-z][a-z0-9]*)((?:"[^"]*"|'[^']*'|[^"'<>])*)>/i;
const LONGEST_TAG = 4096;
const DEEPEST = 40;

const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0' };

function decode(text) {
  return text.replace(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w{2,4}));/gi, (whole, hex, decimal, name) => {
    if (name) return ENTITIES[name] ?? whole;
    const code = hex ? parseInt(hex, 16) : Number(decimal);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd';
  });
}

function attribute(tag, wanted) {
  for (const [, name, double, single, bare] of tag.matchAll(/([^\s"'=/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"']+)))?/g)) {
    if (name.toLowerCase() === wanted) return decode(double ?? single ?? bare ?? '');
  }
  return '';
}

// Tells `text`, `open` and `close` what stands in the markup, in its order.
function read(html, { text, open, close }) {
  let at = 0;
  while (at < html.length) {
    const start = html.indexOf('<', at);
    text(decode(html.slice(at, start < 0 ? html.length : start)));
    if (start < 0) return;
    const tag = TAG.exec(html.slice(start, start + LONGEST_TAG));
    const name = tag?.[2].toLowerCase();
    at = start + (tag?.[0].length ?? 1);
    if (!tag && /[!?]/.test(html[at])) {
      const end = html.startsWith('!--', at) ? html.indexOf('-->', at) : html.indexOf('>', at);
      at = end < 0 ? html.length : end + 1;
    } else if (!tag) text('<');
    else if (tag[1]) close(name);
    else if (DROPPED.test(name)) {
      const end = new RegExp(`</${name}`, 'gi');
      end.lastIndex = at;
      at = end.exec(html)?.index ?? html.length;
    } else open(name, tag[3]);
  }
}

// Writes the text and custom emoji of one person or reply.
class Pen {
  constructor(bridge, emoji) {
    this.bridge = bridge;
    this.left = MOST_EMOJI;
    this.emoji = new Map(list(emoji, MOST_EMOJI).map((one) => [one?.shortcode, one?.url]));
  }

  write(text) {
    if (!this.emoji.size) return [text];
    return text.split(/(:[^\s:]{1,64}:)/).map((piece) => {
      if (!this.emoji.has(piece) || this.left-- <= 0) return piece;
      return picture(this.bridge, this.emoji.get(piece), { class: 'emoji', alt: piece, title: piece }, () => piece) ?? piece;
    });
  }

  // Builds in `into` what is allowed of the markup; the rest leaves only its text.
  rebuild(html, into, level) {
    const stack = [into];
    const top = () => stack.at(-1);
    const isList = (one) => /^[ou]l$/.test(one.localName);
    const leave = (index) => {
      for (const left of stack.splice(Math.max(1, index))) {
        // A link that shows nothing shows at least where it leads.
        if (left.localName === 'a' && !left.textContent.trim() && !left.querySelector('img')) left.textContent = left.href;
      }
    };
    read(html, {
      text: (text) => {
        if (!text || (isList(top()) && !text.trim())) return;
        const pieces = top().closest('code, pre') ? [text] : this.write(text);
        top().append(...(isList(top()) ? [el('li', {}, ...pieces)] : pieces));
      },
      open: (name, tag) => {
        if (!KEPT.has(name)) return;
        if (BLOCK.test(name) && top().localName === 'p') leave(stack.length - 1);
        const around = name === 'a' ? stack.findIndex((one) => one.localName === 'a') : 0;
        if (around > 0) leave(around);
        // A list holds items only and an item stands in a list only, whatever was sent.
        if (isList(top()) && name !== 'li') {
          const item = el('li');
          top().append(item);
          stack.push(item);
        }
        const made = this.remake(isList(top()) || name !== 'li' ? name : 'p', tag, level, stack);
        top().append(made);
        if (name !== 'br' && stack.length < DEEPEST) stack.push(made);
      },
      close: (name) => {
        if (!KEPT.has(name)) return;
        const shown = /^h\d$/.test(name) ? heading(name, level) : name;
        const index = stack.findLastIndex((one) => one.localName === shown);
        if (index > 0) leave(index);
      },
    });
    leave(1);
  }

  remake(name, tag, level, stack) {
    if (name === 'a') return outward(attribute(tag, 'href'), {});
    if (/^h\d$/.test(name)) return el(heading(name, level));
    // Mastodon hides the dull parts of long links this way.
    if (name === 'span' && stack.some((one) => one.localName === 'a')) {
      const dull = /\b(invisible|ellipsis)\b/.exec(attribute(tag, 'class'))?.[1];
      return el('span', { class: dull === 'invisible' ? 'unseen' : dull });
    }
    return el(name);
  }
}

// A heading within a reply stands below the reply's own.
const heading = (name, level) => `h${Math.min(6, level + Number(name[1]))}`;

// ---- pieces of a conversation ---------------------------------------------------------------------------------------

// All that a piece needs to know: the bridge, the language, and how deep headings stand.
class Painter {
  constructor(bridge, tongue, level) {
    this.bridge = bridge;
    this.tongue = tongue;
    this.level = level;
  }

  say(key, values) {
    return this.tongue.say(key, values);
  }

  nameOf(person) {
    return plain(person?.name, 80).trim() || plain(person?.handle, 80) || this.say('someone');
  }

  name(person) {
    const pen = new Pen(this.bridge, person?.emoji);
    return outward(person?.url, {}, el('bdi', {}, ...pen.write(this.nameOf(person))));
  }

  avatar(person, small = '') {
    const initial = () => {
      const letter = [...this.nameOf(person).replace(/[^\p{L}\p{N}]/gu, '').slice(0, 4)][0] ?? '?';
      return el('span', { class: `avatar ${small}`, part: 'avatar', 'aria-hidden': 'true' }, letter.toUpperCase());
    };
    return picture(this.bridge, person?.avatar, { class: `avatar ${small}`, part: 'avatar', alt: '' }, initial) ?? initial();
  }

  // The faces are a glimpse; the names stand behind them, so that nobody must step through fifty links to reach the replies.
  reactions(kind, given) {
    const total = Number(given?.total) || 0;
    if (total < 1) return null;
    const people = list(given.people, 50);
    const others = total - people.length;
    return el(
      'details',
      { part: kind },
      el(
        'summary',
        {},
        icon(kind === 'likes' ? 'like' : 'boost'),
        this.say(kind, { n: total }),
        el('span', { class: 'faces', 'aria-hidden': 'true' }, ...people.slice(0, 6).map((one) => this.avatar(one, 'small'))),
      ),
      el(
        'ul',
        { class: 'people', role: 'list' },
        ...people.map((one) => el('li', {}, this.avatar(one, 'small'), this.name(one), this.reaction(one))),
        others > 0 ? el('li', { class: 'quiet' }, this.say('others', { n: others })) : null,
      ),
    );
  }

  reaction(person) {
    const text = plain(person?.reaction, 64);
    return text ? el('bdi', {}, ...new Pen(this.bridge, person.emoji).write(text)) : null;
  }

  reply(reply, answered) {
    if (reply.gone) {
      return el('article', { class: 'gone quiet', part: 'reply gone', tabindex: '-1' }, el('p', {}, this.say('gone')));
    }
    const heading = el(`h${Math.min(6, this.level + 1)}`, { class: 'name', part: 'author' }, this.name(reply.author));
    const badge = reply.author?.ours ? el('span', { class: 'badge' }, this.say('author')) : null;
    const dialog = new URL('/reply', this.bridge);
    dialog.searchParams.set('id', plain(reply.id, 2000));
    return el(
      'article',
      { part: 'reply', tabindex: '-1', 'aria-label': this.nameOf(reply.author) },
      this.avatar(reply.author),
      el('header', { class: 'by' }, heading, badge, this.meta(reply, answered)),
      this.body(reply),
      el(
        'p',
        { class: 'foot' },
        el(
          'a',
          { href: dialog.href, 'aria-label': this.say('replyTo', { name: this.nameOf(reply.author) }) },
          icon('reply'),
          ` ${this.say('reply')}`,
        ),
      ),
    );
  }

  meta(reply, answered) {
    const handle = plain(reply.author?.handle, 80);
    const published = this.tongue.time(reply.published);
    const updated = this.tongue.time(reply.updated);
    updated?.setAttribute('title', this.say('editedAt', { date: updated.textContent }));
    updated?.replaceChildren(this.say('edited'));
    return el(
      'p',
      { class: 'meta quiet' },
      handle && handle !== this.nameOf(reply.author) ? el('bdi', {}, handle) : null,
      published ? outward(reply.url, {}, published) : null,
      updated,
      answered ? el('bdi', {}, this.say('inAnswerTo', { name: this.nameOf(answered.author) })) : null,
    );
  }

  body(reply) {
    const pen = new Pen(this.bridge, reply.emoji);
    const language = plain(reply.language, 40);
    const parts = [this.content(reply, pen), ...this.attachments(reply), this.poll(reply, pen)].filter(Boolean);
    const title = plain(reply.title, 300);
    if (title) parts.unshift(el('p', { class: 'title', dir: 'auto' }, ...pen.write(title)));
    const body = el('div', { class: 'body', part: 'content', lang: canonical(language || '-') });
    const warning = plain(reply.warning, 500);
    if (!warning) {
      body.append(...parts);
      return body;
    }
    const label = el('strong', { lang: this.tongue.code }, this.say('warning'));
    const summary = el('summary', {}, label, ' ', el('bdi', {}, ...pen.write(warning)));
    body.append(el('details', { class: 'warning', part: 'warning' }, summary, ...parts));
    return body;
  }

  content(reply, pen) {
    const html = typeof reply.content === 'string' ? reply.content : '';
    const content = el('div', { class: 'content' });
    pen.rebuild(html.slice(0, MOST), content, this.level);
    if (html.length > MOST) content.append(el('p', {}, '… ', outward(reply.url, { lang: this.tongue.code }, this.say('elsewhere'))));
    // Each paragraph may run its own way, as strangers mix languages. Said only now: while it grows, a browser would look
    // through all of it again at each new piece.
    for (const block of [content, ...content.children]) block.dir = 'auto';
    if (content.textContent.length < LONG) return content;
    const unfold = () => {
      fold.classList.remove('long');
      more.remove();
    };
    const more = button(this.say('unfold'), () => {
      unfold();
      content.tabIndex = -1;
      content.focus();
    });
    more.lang = this.tongue.code;
    const fold = el('div', { class: 'long' }, content, more);
    content.addEventListener('focusin', unfold, { once: true });
    return fold;
  }

  attachments(reply) {
    const pictures = el('div', { class: 'pictures' });
    const links = el('ul', { role: 'list' });
    for (const one of list(reply.attachments, 16)) {
      const type = plain(one?.media_type, 100) || 'image/';
      const alt = plain(one?.alt, 1500);
      const kind = /^(image|video|audio)\//.exec(type)?.[1] ?? 'file';
      const link = () => outward(one?.url, { dir: 'auto' }, alt ? `${this.say(kind)}: ${alt}` : this.say(kind));
      const shown = () => {
        const image = picture(this.bridge, one?.preview, { alt: alt || this.say('picture') }, link);
        return image && outward(one?.url, {}, image);
      };
      if (kind !== 'image' || webAddress(one?.preview)?.origin !== this.bridge) {
        if (one) links.append(el('li', {}, link()));
      } else if (reply.sensitive) {
        const cover = button(this.say('cover'), () => {
          const uncovered = shown();
          cover.replaceWith(uncovered);
          uncovered.focus();
        });
        cover.classList.add('cover');
        cover.lang = this.tongue.code;
        pictures.append(cover);
      } else {
        pictures.append(shown());
      }
    }
    return [pictures, links].filter((one) => one.hasChildNodes());
  }

  poll(reply, pen) {
    const options = list(reply.options, 30).map((one) => plain(one, 300)).filter(Boolean);
    if (!options.length) return null;
    const items = options.map((one) => el('li', { dir: 'auto' }, ...pen.write(one)));
    const caption = el('p', { class: 'quiet', lang: this.tongue.code, 'aria-hidden': 'true' }, this.say('poll'));
    return el('div', {}, caption, el('ul', { class: 'poll', role: 'list', 'aria-label': this.say('poll') }, ...items));
  }
}

// The replies shown so far, each under what it answers, also when that came with an earlier page.
class Thread {
  constructor(painter) {
    this.painter = painter;
    this.known = new Map();
    this.list = el('ol', { class: 'thread', part: 'thread', role: 'list' });
  }

  // The article shown for `reply`, or null when there is none to show.
  add(reply) {
    const id = reply?.id;
    if (typeof id !== 'string' || this.known.has(id)) return null;
    const parent = this.known.get(reply.parent);
    const fold = parent && (parent.fold ?? (parent.depth >= NESTED ? parent : null));
    let article;
    try {
      article = this.painter.reply(reply, fold ? parent.reply : null);
    } catch (error) {
      // One reply that cannot be shown must not take the others with it.
      console.warn('veerpont: a reply cannot be shown', id, error);
      return null;
    }
    const item = el('li', {}, article);
    this.known.set(id, { reply, item, fold, depth: parent ? parent.depth + 1 : 0 });
    if (!parent) this.list.append(item);
    else if (fold) this.foldInto(fold, item);
    else {
      if (!parent.answers) parent.item.append((parent.answers = el('ol', { class: 'answers', role: 'list' })));
      parent.answers.append(item);
    }
    return article;
  }

  foldInto(fold, item) {
    if (!fold.answers) {
      fold.answers = el('ol', { class: 'answers', role: 'list' });
      fold.label = el('summary');
      fold.item.append(el('details', { class: 'deeper', part: 'deeper' }, fold.label, fold.answers));
    }
    fold.answers.append(item);
    fold.label.textContent = this.painter.say('deeper', { n: fold.answers.childElementCount });
  }
}

// ---- the elements ---------------------------------------------------------------------------------------------------

const sheet = new CSSStyleSheet();
sheet.replaceSync(STYLE);

class Base extends HTMLElement {
  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    root.adoptedStyleSheets = [sheet];
    // What stands between the tags is shown until there is something better.
    this.fallback = el('slot');
    this.box = el('div', { class: 'box', part: 'box' });
    root.append(this.fallback, this.box);
  }

  // Where the script came from is where the bridge is, unless the page says otherwise.
  get bridge() {
    return webAddress(this.getAttribute('bridge') ?? import.meta.url)?.origin ?? null;
  }

  get tongue() {
    const tongue = new Tongue(this.closest('[lang]')?.getAttribute('lang') || 'en');
    this.box.lang = tongue.code;
    // Its words run their own way on a page that runs the other.
    this.box.dir = tongue.words.dir ?? 'ltr';
    return tongue;
  }

  followLink(handle, tongue) {
    const href = `${this.bridge}/follow/${encodeURIComponent(handle).replaceAll('%40', '@')}`;
    const [before, after] = tongue.say('follow', { name: '\0' }).split('\0');
    return el('a', { class: 'button', part: 'button', href }, icon('follow'), el('span', {}, before, el('bdi', {}, handle), after));
  }
}

class Conversation extends Base {
  static observedAttributes = ['bridge', 'url', 'key', 'source', 'article', 'lang', 'heading-level'];

  connectedCallback() {
    if (this.started || this.watch) return;
    if (this.getAttribute('loading') === 'eager' || !('IntersectionObserver' in window)) {
      this.reload();
      return;
    }
    this.watch = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) this.reload();
      },
      { rootMargin: '300px' },
    );
    this.watch.observe(this);
  }

  disconnectedCallback() {
    this.watch?.disconnect();
    this.watch = null;
  }

  // Several attributes may change at once; the conversation is read anew once.
  attributeChangedCallback() {
    if (!this.started || this.renewing) return;
    this.renewing = true;
    queueMicrotask(() => {
      this.renewing = false;
      this.reload();
    });
  }

  // The address of the conversation's first page on the bridge.
  get address() {
    const address = new URL('/api/v1/conversation', this.bridge);
    const ask = (name, attribute = name) => {
      const value = this.getAttribute(attribute);
      if (value) address.searchParams.set(name, value);
      return Boolean(value);
    };
    if (ask('id', 'article')) return address;
    if (ask('key')) {
      ask('source');
      return address;
    }
    const canonicalLink = document.querySelector('link[rel~=canonical][href]')?.href;
    const page = new URL(this.getAttribute('url') || canonicalLink || location.href, document.baseURI);
    page.hash = '';
    address.searchParams.set('url', page.href);
    return address;
  }

  async reload() {
    this.disconnectedCallback();
    this.started = true;
    const refocus = this.shadowRoot.activeElement;
    const tongue = this.tongue;
    const wanted = Number(this.getAttribute('heading-level'));
    const level = wanted >= 1 && wanted <= 6 ? Math.floor(wanted) : 2;
    this.painter = new Painter(this.bridge, tongue, level);
    this.fallback.hidden = false;
    this.status = el('p', { role: 'status', class: 'quiet' });
    this.heading = null;
    this.more = null;
    this.notice = el('div', { class: 'notice', part: 'notice' }, this.status);
    // The live region stands there before it speaks, or it may not be heard.
    this.box.replaceChildren(this.notice);
    const found = await this.ask(() => this.address);
    if (!found) return;
    this.show(found, tongue);
    if (refocus && document.activeElement === document.body) this.heading.focus();
  }

  // One page of the conversation; null when there is none, or when a later question has taken this one's place.
  async ask(address) {
    const turn = (this.turn = {});
    this.tell(this.painter.say('loading'));
    this.status.classList.add('busy');
    let found = null;
    let why = null;
    try {
      const answer = await fetch(address(), {
        headers: { Accept: 'application/json' },
        credentials: 'omit',
        signal: AbortSignal.timeout(PATIENCE),
      });
      // Nothing is known of the page yet: nobody has answered.
      if (answer.status === 404) found = {};
      else if (answer.ok) found = await answer.json();
      else why = `status ${answer.status}`;
    } catch (error) {
      why = error.name;
    }
    if (turn !== this.turn) return null;
    this.status.classList.remove('busy');
    if (found && typeof found === 'object') return found;
    this.fail(why);
    return null;
  }

  // `unseen` is for what only those need to be told who do not see it happen.
  tell(text, unseen = false) {
    this.status.classList.toggle('unseen', unseen);
    this.status.textContent = text;
  }

  fail(why) {
    this.tell(this.painter.say('failed'));
    if (this.more) {
      this.more.textContent = this.painter.say('retry');
      this.more.removeAttribute('aria-disabled');
    } else {
      this.notice.append(button(this.painter.say('retry'), (pressed) => this.again(pressed)));
    }
    this.send('veerpont:error', { why });
  }

  async again(pressed) {
    pressed.setAttribute('aria-disabled', 'true');
    const found = await this.ask(() => this.address);
    const had = this.shadowRoot.activeElement === pressed;
    pressed.remove();
    if (found) this.show(found, this.painter.tongue);
    if (had) (this.heading ?? this.notice.querySelector('button'))?.focus();
  }

  show(found, tongue) {
    const { painter } = this;
    const article = found.article;
    const total = Number(found.replies?.total) || 0;
    const count = total ? painter.say('replies', { n: total }) : painter.say('none');
    this.heading = el(`h${painter.level}`, { class: 'heading', part: 'heading', tabindex: '-1' }, count);
    const actions = el('div', { class: 'actions' });
    if (typeof article?.id === 'string') {
      const dialog = new URL('/reply', this.bridge);
      dialog.searchParams.set('id', article.id);
      const label = painter.say('replyToPost');
      actions.append(el('a', { class: 'button', part: 'button', href: dialog.href, 'aria-label': label }, icon('reply'), painter.say('reply')));
      const handle = plain(article.author?.handle, 200);
      if (handle) actions.append(this.followLink(handle, tongue));
    }
    const reactions = ['likes', 'boosts'].map((kind) => painter.reactions(kind, found[kind])).filter(Boolean);
    this.thread = new Thread(painter);
    this.box.prepend(
      el('header', { class: 'head', part: 'head' }, this.heading, actions),
      ...(total || !article ? [] : [el('p', { class: 'quiet invitation' }, painter.say('invitation'))]),
      el('div', { class: 'reactions', part: 'reactions' }, ...reactions),
    );
    this.tell(count, true);
    this.extend(found);
    // Without an article there is nothing to link to but what the page itself says.
    this.fallback.hidden = Boolean(article);
    this.send('veerpont:loaded', { replies: total, likes: Number(found.likes?.total) || 0, boosts: Number(found.boosts?.total) || 0 });
  }

  extend(found) {
    const added = list(found.replies?.items, 1000).map((reply) => this.thread.add(reply)).filter(Boolean);
    if (added.length && !this.thread.list.isConnected) this.notice.before(this.thread.list);
    const next = webAddress(found.replies?.next);
    this.more?.remove();
    this.more = null;
    if (next?.origin === this.bridge) {
      this.more = button(this.painter.say('more'), () => this.onward(next));
      this.notice.append(this.more);
    }
    return added;
  }

  async onward(next) {
    const pressed = this.more;
    pressed.setAttribute('aria-disabled', 'true');
    const found = await this.ask(() => next);
    if (!found) return;
    const had = this.shadowRoot.activeElement === pressed;
    const added = this.extend(found);
    this.tell(this.painter.say('added', { n: added.length }), true);
    // Readers by keyboard go on where the new replies begin, not at the end of the page.
    const first = added.find((article) => !article.closest('details:not([open])'));
    if (had) (first ?? this.more ?? this.heading).focus();
    this.send('veerpont:more', { replies: this.thread.known.size });
  }

  send(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true, detail }));
  }
}

class Follow extends Base {
  static observedAttributes = ['bridge', 'handle', 'lang'];

  connectedCallback() {
    const handle = `@${(this.getAttribute('handle') ?? '').trim().replace(/^@/, '')}`;
    const fit = Boolean(this.bridge) && /^@[^\s@/]+@[^\s@/]+$/.test(handle);
    this.fallback.hidden = fit;
    this.box.replaceChildren(...(fit ? [this.followLink(handle, this.tongue)] : []));
  }

  attributeChangedCallback() {
    if (this.isConnected) this.connectedCallback();
  }
}

// A page may carry the script twice; the first one counts.
for (const [name, element] of [['veerpont-conversation', Conversation], ['veerpont-follow', Follow]]) {
  if (!customElements.get(name)) customElements.define(name, element);
}
