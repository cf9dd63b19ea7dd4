// A live, paged list, with the details of the chosen item beside it.
//
// Only one page is in the document, so that it stays small.

import { get, place, withQuery } from './api.js';
import { offerCalls } from './calls.js';
import { el, fill, icon } from './dom.js';
import { live } from './feed.js';
import { roving } from './keyboard.js';
import { trouble } from './widgets.js';

const PAGE = 50;

/**
 * Mounts list and details into `root`. Returns a function that shows the item with an id.
 *
 * `spec` has the list's `title`, its `path` and the name of the `list` in the answer, the `kinds` of events
 * that change it, `keyOf(item)`, `row(item)`, the `place` of the view in the address, `empty()` for an empty
 * list, and `detail(pane, id, signal)`.
 * Optional: `filters`, controls above the list; `parameters` of every call; `pinned`, an item above the list with
 * an `id` and a `title`, which is open at first in place of the latest item; `idle()` for the details of an empty
 * list.
 */
export function browse(root, signal, spec) {
  const list = el('ul', { class: 'rows', 'aria-label': spec.title });
  const nothing = el('div', {});
  const newer = el('button', { class: 'small', onclick: () => turn(() => before.pop()) }, 'Newer');
  const older = el('button', { class: 'small', onclick: () => turn(() => before.push(next)) }, 'Older');
  const pager = el('div', { class: 'pager', role: 'group', 'aria-label': 'Pages' }, newer, older);
  const filters = spec.filters && el('form', { class: 'filters', role: 'search', onsubmit: (event) => event.preventDefault() }, spec.filters);
  const pinned = spec.pinned && el('a', { class: 'pinned', href: place(spec.place, spec.pinned.id) }, spec.pinned.title);
  const pane = el('section', { class: 'detail', 'aria-label': 'Details', tabindex: '-1' });
  root.append(
    el('section', { class: 'list' }, el('header', { class: 'list-head' }, el('h1', {}, spec.title), filters), pinned, list, nothing, pager),
    pane,
  );
  roving(list, '.row');

  /** Whether the details take the place of the list. */
  const isNarrow = () => getComputedStyle(root).display === 'block';

  /** The `before` of each page except the first. */
  const before = [];
  let next;
  let chosen;
  let detail;

  // An incomplete input does not filter.
  const wanted = () => Object.fromEntries([...filters?.elements ?? []]
    .filter((control) => control.checkValidity())
    .map(({ name, value }) => [name, value]));
  const query = () => withQuery(spec.path, { ...spec.parameters, ...wanted() });
  const offer = offerCalls(signal, ['GET', query()]);
  const refresh = live(spec.kinds, signal, async () => {
    const parameters = { limit: PAGE, before: before.at(-1), ...spec.parameters, ...wanted() };
    const answer = await get(withQuery(spec.path, parameters), signal);
    next = answer.next;
    show(answer[spec.list]);
  }, { onError: (error) => nothing.replaceChildren(trouble(error)) });

  function show(items) {
    const isEmpty = items.length === 0;
    fill(list, items, spec.keyOf, (item) => el('li', {}, rowOf(item)));
    list.hidden = isEmpty;
    newer.disabled = before.length === 0;
    older.disabled = next === undefined;
    pager.hidden = newer.disabled && older.disabled;
    const filtered = before.length || Object.values(wanted()).some(Boolean);
    nothing.replaceChildren(...(isEmpty ? [filtered ? el('p', { class: 'muted none' }, 'Nothing matches the filter.') : spec.empty()] : []));
    if (chosen === undefined) open(spec.pinned?.id ?? (isEmpty ? undefined : spec.keyOf(items[0])));
    mark();
  }

  /** Fills the empty details: with the item with this id, or as for an empty list. */
  function open(id) {
    if (id !== undefined && !isNarrow()) {
      history.replaceState(null, '', place(spec.place, id));
      choose(id);
    } else if (id === undefined && spec.idle) {
      // Drawn once, because the focus may be in it.
      if (!pane.hasChildNodes()) pane.append(spec.idle());
    } else {
      pane.replaceChildren();
    }
  }

  function rowOf(item) {
    return el('a', { class: 'row', href: place(spec.place, spec.keyOf(item)), tabindex: '-1' }, spec.row(item));
  }

  function mark() {
    for (const row of root.querySelectorAll('.row, .pinned')) {
      const current = chosen !== undefined && row.hash === place(spec.place, chosen);
      if (current) row.setAttribute('aria-current', 'true');
      else row.removeAttribute('aria-current');
    }
  }

  function turn(change) {
    change();
    list.scrollTop = 0;
    refresh();
  }

  filters?.addEventListener('input', () => {
    offer(['GET', query()]);
    turn(() => { before.length = 0; });
  });

  function choose(id) {
    detail?.abort();
    detail = undefined;
    chosen = id;
    root.classList.toggle('has-detail', id !== undefined);
    mark();
    pane.replaceChildren();
    if (id === undefined) {
      refresh();
      return;
    }
    detail = new AbortController();
    pane.append(el('a', { class: 'back', href: place(spec.place) }, icon('back'), spec.title));
    spec.detail(pane, id, AbortSignal.any([signal, detail.signal]));
    if (isNarrow()) pane.focus();
  }

  return ([id]) => choose(id);
}
