// Creates elements without markup, so that text from outside is never parsed as HTML.

/** Creates an element. A function property is a listener, `true` an empty attribute; false and null are left out. */
export function el(name, props = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === 'function') element.addEventListener(key.slice(2), value);
    else if (key === 'value' || key === 'checked') element[key] = value;
    else element.setAttribute(key, value === true ? '' : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child || child === 0));
  return element;
}

const marks = new WeakMap();

/**
 * Shows `items` in `parent`, in order. The element of an unchanged item stays, with its focus and its scroll
 * position.
 */
export function fill(parent, items, keyOf, build) {
  const old = new Map([...parent.children].map((child) => [marks.get(child)?.key, child]));
  const nodes = items.map((item) => {
    const key = String(keyOf(item));
    const mark = JSON.stringify(item);
    const before = old.get(key);
    old.delete(key);
    if (before && marks.get(before).mark === mark) return before;
    const node = build(item);
    marks.set(node, { key, mark });
    if (before) replace(before, node);
    return node;
  });
  for (const gone of old.values()) gone.remove();
  let at = parent.firstElementChild;
  for (const node of nodes) {
    if (node === at) at = at.nextElementSibling;
    else parent.insertBefore(node, at);
  }
}

/** Moves the focus to an element that may be outside of the window, and scrolls to it and what is `around` it. */
export function reveal(element, around = element) {
  around.scrollIntoView({ block: 'nearest' });
  element.focus({ preventScroll: true });
}

/** Replaces an element, and keeps the focus and the tab stop of a list. */
function replace(before, node) {
  const had = before.contains(document.activeElement);
  before.replaceWith(node);
  const [was, is] = [before, node].map((one) => one.matches('[tabindex]') ? one : one.querySelector('[tabindex]'));
  if (was && is) is.tabIndex = was.tabIndex;
  if (had) (is ?? node).focus();
}

const SVG = 'http://www.w3.org/2000/svg';

const ICONS = {
  phone: 'M7 2h10a2 2 0 0 1 2 2v16a2 2 0 0 1-2 2H7a2 2 0 0 1-2-2V4a2 2 0 0 1 2-2zm3 17h4',
  call: 'M5 3h4l2 5-2.5 1.5a11 11 0 0 0 6 6L16 13l5 2v4a2 2 0 0 1-2 2A16 16 0 0 1 3 5a2 2 0 0 1 2-2z',
  message: 'M4 4h16v12H9l-5 4z',
  link: 'M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1m2 4a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  check: 'm5 12 5 5 9-10',
  cross: 'm6 6 12 12M18 6 6 18',
  pause: 'M8 5v14M16 5v14',
  play: 'm8 5 11 7-11 7z',
  sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2m0 16v2M2 12h2m16 0h2M5 5l1.4 1.4m11.2 11.2L19 19M19 5l-1.4 1.4M6.4 17.6 5 19',
  moon: 'M20 14A8 8 0 1 1 10 4a7 7 0 0 0 10 10z',
  reset: 'M4 4v5h5M4.5 9a8 8 0 1 1-.4 5',
  help: 'M9 9a3 3 0 1 1 4.5 2.6c-1 .6-1.5 1.2-1.5 2.4m0 4v.01',
  back: 'm14 5-7 7 7 7',
};

/** An icon. The text beside it or its label has the meaning. */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}
