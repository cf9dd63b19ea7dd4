// The list of magic numbers.

import { get, place as address, withQuery } from '../api.js';
import { offerCalls } from '../calls.js';
import { el } from '../dom.js';
import { copyButton, table, trouble } from '../widgets.js';

const PATH = '/_emu/numbers';

export function numbers(root, signal) {
  const filter = el('input', { type: 'search', 'aria-label': 'Filter', placeholder: 'Filter  /', autocomplete: 'off', oninput: sift });
  const place = el('div', { class: 'scroll' });
  root.append(el('section', { class: 'wide' },
    el('header', { class: 'list-head' }, el('h1', {}, 'Magic numbers'), el('div', { class: 'filters' }, filter)),
    el('p', { class: 'muted' }, 'Each of these fictional numbers has a fixed outcome. Start a verification of one, from any client, to test that outcome.'),
    place));
  offerCalls(signal, ['GET', PATH]);

  function sift() {
    const wanted = filter.value.trim().toLowerCase();
    for (const row of place.querySelectorAll('tbody tr')) row.hidden = !row.textContent.toLowerCase().includes(wanted);
  }

  get(PATH, signal).then(
    (answer) => place.replaceChildren(table(['Number', 'Outcome', 'What happens', ''], answer.numbers.map(row), 'magic')),
    (error) => { if (!signal.aborted) place.replaceChildren(trouble(error)); },
  );
  return () => {};
}

function row({ number, outcome, what }) {
  return el('tr', {},
    el('td', {}, el('span', { class: 'with-copy' }, el('code', {}, number), copyButton(number, 'the number'))),
    el('td', {}, el('span', { class: 'pill quiet' }, outcome)),
    el('td', {}, what),
    el('td', {}, el('a', { class: 'button small', href: withQuery(address('try'), { number }), 'aria-label': `Try it: ${outcome}` }, 'Try it')));
}
