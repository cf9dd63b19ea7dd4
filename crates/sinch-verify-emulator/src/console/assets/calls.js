// The API calls of the view, at the foot of the page and nowhere else: the call that is being edited or was
// made last, and all others on demand.

import { calls, curl } from './api.js';
import { el } from './dom.js';
import { copyButton, httpStatus } from './widgets.js';

/** The calls of each part of the view. */
const offered = new Map();

/** A call that is being edited, and its part of the view. */
let edited;

/** The latest call that changed something. */
let latest;

let draw = () => {};

/**
 * Offers calls, each as `[method, path, body]`, until the signal aborts. Returns a function that replaces them.
 * A call that differs afterwards is being edited, and becomes the shown one.
 */
export function offerCalls(signal, ...list) {
  const part = {};
  const set = (...wanted) => {
    const now = wanted.map(([method, path, body]) => ({ method, path, text: body && JSON.stringify(body) }));
    const before = offered.get(part);
    const changed = before?.length && now.find(({ method, path, text }) => !before.some((one) => one.method === method && one.path === path && one.text === text));
    offered.set(part, now);
    if (changed) edited = { part, call: changed };
    draw();
  };
  signal.addEventListener('abort', () => {
    offered.delete(part);
    if (edited?.part === part) edited = undefined;
    draw();
  });
  set(...list);
  return set;
}

/** Shows the calls in `root`. */
export function callsOfView(root) {
  const list = el('ul', { class: 'calls' });
  const hint = el('p', { class: 'muted' }, 'Every action on this page is an API call.');
  const toggle = el('button', { class: 'small', 'aria-expanded': 'false', onclick: () => open(!isOpen) });
  let isOpen = false;
  const open = (now) => {
    isOpen = now;
    draw();
  };
  root.append(hint, list, toggle);
  draw = () => {
    const shown = edited?.call ?? latest;
    const all = new Map([...offered.values()].flat().map((one) => [keyOf(one), one]));
    const count = all.size;
    if (shown) all.set(keyOf(shown), shown);
    list.replaceChildren(...(isOpen ? [...all.values()] : [shown]).filter(Boolean).map(row));
    hint.hidden = isOpen || shown !== undefined;
    toggle.textContent = isOpen ? 'Close' : `API calls (${count})`;
    toggle.setAttribute('aria-expanded', String(isOpen));
    root.classList.toggle('open', isOpen);
  };
  calls.addEventListener('call', ({ detail }) => {
    edited = undefined;
    latest = detail;
    draw();
  });
  draw();
}

const keyOf = ({ method, path }) => `${method} ${path}`;

function row({ method, path, text, headers, status, ms }) {
  return el(
    'li', { class: 'call-note' },
    el('span', { class: 'verb' }, method),
    el('code', {}, path, text && el('span', { class: 'body' }, ` ${text}`)),
    ms !== undefined && [httpStatus(status), el('span', { class: 'muted took' }, `${Math.round(ms)} ms`)],
    copyButton(curl(method, path, text, headers), 'this call as curl'),
  );
}
