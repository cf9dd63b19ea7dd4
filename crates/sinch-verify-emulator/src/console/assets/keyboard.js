// Keyboard operation.

import { el } from './dom.js';

/** Makes the arrow keys move through the `selector` elements of `list`, which has one tab stop. */
export function roving(list, selector) {
  const all = () => [...list.querySelectorAll(selector)];
  list.addEventListener('keydown', (event) => {
    const items = all();
    const at = items.indexOf(document.activeElement);
    const to = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      Home: 0,
      End: items.length - 1,
    }[event.key];
    if (at < 0 || to === undefined || !items[to]) return;
    event.preventDefault();
    items[to].focus();
  });
  list.addEventListener('focusin', (event) => {
    for (const item of all()) item.tabIndex = item.contains(event.target) ? 0 : -1;
  });
  // Rows change, and one of them must always be a tab stop.
  new MutationObserver(() => {
    const items = all();
    if (!items.some((item) => item.tabIndex === 0) && items.length) items[0].tabIndex = 0;
  }).observe(list, { childList: true, subtree: true });
}

const OFF = 'keys-off';

/** Single-key shortcuts, except while typing in a field. They can be switched off. */
export function shortcuts(table) {
  document.addEventListener('keydown', (event) => {
    const typing = event.target.closest?.('input, select, textarea, [data-takes-keys], dialog');
    if (typing || event.ctrlKey || event.metaKey || event.altKey || localStorage.getItem(OFF)) return;
    const found = table.find(({ key }) => key === event.key);
    if (!found) return;
    event.preventDefault();
    found.run();
  });
}

/** Shows the list of shortcuts. */
export function help(table) {
  const on = el('input', {
    type: 'checkbox',
    checked: !localStorage.getItem(OFF),
    onchange: (event) => (event.target.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, '1')),
  });
  const dialog = el(
    'dialog', { class: 'help', 'aria-labelledby': 'help-title', onclose: () => dialog.remove() },
    el('h2', { id: 'help-title' }, 'Keyboard shortcuts'),
    el('dl', { class: 'facts' }, table.map(({ key, what }) => [el('dt', {}, el('kbd', {}, key)), el('dd', {}, what)])),
    el('p', { class: 'muted' }, 'In lists: ', el('kbd', {}, '↑'), ' ', el('kbd', {}, '↓'), ' and Enter. On a keypad: digits, Backspace, Enter (send), Esc (hang up).'),
    el('label', { class: 'check' }, on, 'Use single-key shortcuts'),
    el('button', { class: 'primary', autofocus: true, onclick: () => dialog.close() }, 'Close'),
  );
  document.body.append(dialog);
  dialog.showModal();
}
