// The frame around the views: navigation, keyboard shortcuts, connection.

import { el, icon } from './dom.js';
import { get } from './api.js';
import { callsOfView } from './calls.js';
import { feed, follow, live, ready } from './feed.js';
import { help, shortcuts } from './keyboard.js';
import { strip } from './clock.js';
import { resetButton } from './reset.js';
import { apply, themeButton, toggle } from './theme.js';
import { begin } from './unread.js';
import { copyNewest, phones } from './views/phones.js';
import { tryIt } from './views/try.js';
import { verifications } from './views/verifications.js';
import { requests } from './views/requests.js';
import { callbacks } from './views/callbacks.js';
import { faults } from './views/faults.js';
import { numbers } from './views/numbers.js';
import { reference } from './views/reference.js';

apply();

/** The views, in the order of their keys, 1 to 8. `mount` gets a signal that aborts when the view is left. */
const VIEWS = [
  { name: 'phones', title: 'Phones', mount: phones },
  { name: 'try', title: 'Try it', mount: tryIt },
  { name: 'verifications', title: 'Verifications', mount: verifications },
  { name: 'requests', title: 'Requests', mount: requests },
  { name: 'callbacks', title: 'Callbacks', mount: callbacks },
  { name: 'faults', title: 'Faults', mount: faults },
  { name: 'numbers', title: 'Numbers', mount: numbers },
  { name: 'reference', title: 'API', mount: reference },
];

const KEYS = [
  ...VIEWS.map(({ name, title }, at) => ({ key: String(at + 1), what: title, run: () => { location.hash = `#/${name}`; } })),
  { key: '/', what: 'Go to the filter', run: () => document.querySelector('[type=search]')?.focus() },
  { key: 'c', what: 'Copy the newest code on the phone', run: copyNewest },
  { key: 't', what: 'Switch between light and dark', run: toggle },
  { key: '?', what: 'Show this list', run: () => help(KEYS) },
];

const main = document.getElementById('main');
let shown;

/** The frame is never left. */
const forever = new AbortController().signal;

/** The segments of an address. An invalid escape gives none, and then the first view shows. */
function segments(place) {
  try {
    return place.split('/').map(decodeURIComponent);
  } catch {
    return [];
  }
}

/** Shows the view of the address: `#/view/argument?parameter=value`. */
function route() {
  const [place, query] = location.hash.replace(/^#\/?/, '').split('?');
  const [name, ...args] = segments(place);
  const view = VIEWS.find((one) => one.name === name) ?? VIEWS[0];
  if (shown?.view !== view) {
    shown?.leave.abort();
    const leave = new AbortController();
    main.replaceChildren();
    main.className = `view ${view.name}`;
    shown = { view, leave, show: view.mount(main, leave.signal) };
  }
  document.title = `${view.title} · Verification emulator`;
  for (const tab of document.querySelectorAll('#tabs a')) {
    const current = tab.hash === `#/${view.name}`;
    if (current) tab.setAttribute('aria-current', 'page');
    else tab.removeAttribute('aria-current');
  }
  revealTab();
  shown.show(args.filter(Boolean), new URLSearchParams(query));
}

/** Shows the view from its beginning, because the item in it may no longer exist. */
function again() {
  history.replaceState(null, '', `#/${shown.view.name}`);
  shown.leave.abort();
  shown = undefined;
  route();
}

/**
 * Scrolls to the tab of the view on a narrow screen. Not by `scrollIntoView`: in some browsers, Tab then continues from
 * the shown element, and the first Tab would no longer reach the link that skips the tabs.
 */
function revealTab() {
  const tabs = document.getElementById('tabs');
  const tab = tabs.querySelector('[aria-current]');
  if (!tab) return;
  const [one, all] = [tab, tabs].map((node) => node.getBoundingClientRect());
  tabs.scrollLeft += Math.min(0, one.left - all.left) + Math.max(0, one.right - all.right);
}

/** Shows the number of active faults at its tab, because a forgotten fault is hard to find. */
function countFaults() {
  const tab = document.querySelector('#tabs a[href="#/faults"]');
  const count = el('span', { class: 'pill warn' });
  tab.append(count);
  live(['fault'], forever, async () => {
    const { faults: active } = await get('/_emu/faults');
    count.textContent = active.length || '';
  }, { onError: () => {} });
}

function connection() {
  const mark = el('span', { class: 'connection', role: 'status' });
  const draw = (state, text) => {
    mark.dataset.state = state;
    mark.replaceChildren(el('span', { class: 'dot', 'aria-hidden': 'true' }), text);
  };
  draw('lost', 'Connecting');
  feed.addEventListener('live', () => draw('live', 'Live'));
  feed.addEventListener('lost', () => draw('lost', 'Reconnecting'));
  return mark;
}

document.getElementById('tabs').append(
  ...VIEWS.map(({ name, title }, at) => el('a', { href: `#/${name}`, title: `Key ${at + 1}` }, title)),
);
document.getElementById('tools').append(
  connection(),
  resetButton(),
  themeButton(),
  el('button', { class: 'icon-only', 'aria-label': 'Keyboard shortcuts', title: 'Keyboard shortcuts (?)', onclick: () => help(KEYS) }, icon('help')),
);
// The width of the tabs depends on the count of faults and on the state of the connection.
const widths = new ResizeObserver(revealTab);
for (const node of [document.getElementById('tabs'), ...document.querySelectorAll('#tabs a')]) widths.observe(node);
document.getElementById('skip').addEventListener('click', () => main.focus());
callsOfView(document.getElementById('calls'));
shortcuts(KEYS);
countFaults();
strip(document.getElementById('strip'), forever);
follow();
// Every view may use `info`, and what is unread.
await ready;
await begin();
window.addEventListener('hashchange', route);
feed.addEventListener('reset', again);
feed.addEventListener('gap', ({ detail }) => { if (detail.restarted) again(); });
route();
