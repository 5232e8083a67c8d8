// What tells whether something that whoever means ill has sent does any harm where it is shown.

// Pictures that are none are asked of the bridge, which has none either.
export const NO_PICTURE = /^console: Failed to load resource: the server responded with a status of 404 .*\/pictures\//;
export const TURNING = /[\u202a-\u202e\u2066-\u2069]/;

// Opens, loads, hovers, focuses and clicks all of it, so that whatever lies in wait may spring; no link leads away meanwhile.
export async function provoke(page, within) {
  await within.evaluate(async (one) => {
    const root = one.shadowRoot ?? one;
    root.addEventListener('click', (event) => event.target.closest('a') && event.preventDefault());
    for (const details of root.querySelectorAll('details')) details.open = true;
    for (const button of root.querySelectorAll('button')) button.click();
    for (const image of root.querySelectorAll('img')) image.loading = 'eager';
    await Promise.all([...root.querySelectorAll('img')].map((image) => image.decode().catch(() => {})));
    for (const at of root.querySelectorAll('*')) {
      for (const name of ['mouseover', 'focus', 'toggle', 'load', 'error']) at.dispatchEvent(new Event(name));
      at.click?.();
    }
  });
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
}

// What stands in a page or a component.
export function stands(within) {
  return within.evaluate((one) => {
    const all = [...(one.shadowRoot ?? one).querySelectorAll('*')];
    const depth = (at) => {
      let n = 0;
      for (let up = at; up; up = up.parentNode ?? up.host) n += 1;
      return n;
    };
    return {
      scripted: all.filter((at) => at.getAttributeNames().some((name) => name.startsWith('on') || name === 'style')).map((at) => at.outerHTML.slice(0, 200)),
      strange: [...new Set(all.map((at) => at.localName))].filter((name) => /script|style|iframe|object|embed|form|input|video|audio|base|meta|link|template|math|svg|textarea/.test(name)),
      links: [...new Set(all.filter((at) => at.hasAttribute('href')).map((at) => new URL(at.href, 'about:blank').protocol))],
      free: all.filter((at) => at.localName === 'a' && at.origin !== location.origin && !/\bugc\b/.test(at.rel)).map((at) => at.outerHTML.slice(0, 200)),
      pictures: [...new Set(all.filter((at) => at.hasAttribute('src')).map((at) => new URL(at.src).origin))],
      ids: all.map((at) => at.id).filter((id) => id && !/^(r\d+|main|conversation|conversation-title)$/.test(id)),
      depth: Math.max(...all.map(depth)),
      huge: Math.max(...[...(one.shadowRoot ?? one).querySelectorAll('.content')].map((at) => at.textContent.length)),
      many: all.length,
      names: [...(one.shadowRoot ?? one).querySelectorAll('.name')].map((at) => at.textContent),
      titles: all.map((at) => `${at.title} ${at.getAttribute('alt') ?? ''} ${at.getAttribute('aria-label') ?? ''}`).join('\n'),
    };
  });
}
