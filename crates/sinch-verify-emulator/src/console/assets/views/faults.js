// Fault rules: requests that fail on purpose.

import { call, get } from '../api.js';
import { offerCalls } from '../calls.js';
import { el, fill, reveal } from '../dom.js';
import { live } from '../feed.js';
import { accepted, empty, failed, field, pill, refused, say, select } from '../widgets.js';

const PATH = '/_emu/faults';

/** The text of each fault, and its fields. */
const FAULTS = {
  latency: { text: 'Delay', takes: ['from', 'to'] },
  status: { text: 'Error status', takes: ['status'] },
  reset: { text: 'Connection reset', takes: ['handled'] },
  stall: { text: 'No answer', takes: [] },
  truncate: { text: 'Body cut short', takes: [] },
  malformed: { text: 'Invalid JSON', takes: [] },
};

const OPERATIONS = {
  api: ['start', 'report', 'status', 'outcome'],
  callback: ['request', 'result', 'delivered'],
};

export function faults(root, signal) {
  const place = select('on', [['api', 'Answers of the API'], ['callback', 'Callbacks to your application']]);
  const operation = el('select', { name: 'operation' });
  const kind = select('kind', Object.entries(FAULTS).map(([key, { text }]) => [key, text]));
  const inputs = {
    from: field('Shortest', el('input', { name: 'from', value: '500ms', size: 6 })),
    to: field('Longest', el('input', { name: 'to', value: '2s', size: 6 })),
    status: field('HTTP status', el('input', { name: 'status', type: 'number', min: 400, max: 599, value: 503 })),
    handled: el('label', { class: 'check' }, el('input', { type: 'checkbox', name: 'handled' }), 'carry out the request first'),
  };
  const form = el('form', { class: 'stack', onsubmit: add, oninput: draw },
    field('Affects', place), field('Operation', operation), field('Fault', kind),
    el('div', { class: 'side-by-side' }, Object.values(inputs)),
    field('Phone number', el('input', { name: 'number', placeholder: 'any', autocomplete: 'off' })),
    el('div', { class: 'side-by-side' },
      field('Probability', el('input', { name: 'probability', type: 'number', min: 0, max: 1, step: 'any', placeholder: '1' })),
      field('Every nth request', el('input', { name: 'every', type: 'number', min: 1, placeholder: '1' })),
      field('Times at most', el('input', { name: 'count', type: 'number', min: 1, placeholder: 'no limit' }))),
    el('button', { class: 'primary' }, 'Add fault'));
  const list = el('ul', { class: 'cards', 'aria-label': 'Active faults' });
  const nothing = empty('No active faults', 'A fault makes requests fail on purpose, as an unreliable network or service does. If several match a request, the first one applies.');
  const clear = el('button', { class: 'small', onclick: () => remove(PATH) }, 'Remove all');
  root.append(
    el('section', { class: 'list' }, el('header', { class: 'list-head' }, el('h1', {}, 'Add a fault')), form),
    el('section', { class: 'detail', 'aria-label': 'Active faults' }, el('header', { class: 'list-head' }, el('h2', {}, 'Active faults'), clear), nothing, list),
  );
  const offer = offerCalls(signal);
  /** The fault that is shown once it is in the list. */
  let added;

  function rule() {
    const given = new FormData(form);
    const numbers = ['probability', 'every', 'count'];
    const wanted = { on: given.get('on') };
    for (const name of ['operation', 'number', ...numbers]) {
      const value = given.get(name).trim();
      if (value) wanted[name] = numbers.includes(name) ? Number(value) : value;
    }
    const fault = { kind: given.get('kind') };
    for (const name of FAULTS[fault.kind].takes) {
      if (name === 'handled') fault.handled = given.has('handled');
      else fault[name] = name === 'status' ? Number(given.get(name)) : given.get(name);
    }
    return { ...wanted, fault };
  }

  function operations() {
    const chosen = operation.value;
    operation.replaceChildren(...['', ...OPERATIONS[place.value]].map((name) => el('option', { value: name, selected: name === chosen }, name || 'all')));
  }

  function draw() {
    operations();
    const { takes } = FAULTS[kind.value];
    for (const [name, input] of Object.entries(inputs)) {
      input.hidden = !takes.includes(name) || (name === 'handled' && place.value !== 'api');
    }
    offer(['GET', PATH], ['POST', PATH, rule()], ['DELETE', PATH], ['DELETE', `${PATH}/{id}`]);
  }

  async function add(event) {
    event.preventDefault();
    try {
      ({ id: added } = await call('POST', PATH, rule()));
      accepted(form);
      say('Fault added', 'ok');
      refresh();
    } catch (error) {
      refused(form, error);
    }
  }

  async function remove(path) {
    try {
      await call('DELETE', path);
      say('Removed', 'ok');
      refresh();
    } catch (error) {
      failed(error);
    }
  }

  function card({ id, rule: { on, operation: name, number, application, probability, every, count, fault }, seen, hits }) {
    const limits = [
      number, application && `application ${application}`, probability !== undefined && `probability ${probability}`,
      every > 1 && `1 of every ${every} requests`, count && `at most ${count} times`,
    ].filter(Boolean);
    const details = Object.entries(fault).filter(([key]) => key !== 'kind').map(([key, value]) => `${key} ${value}`);
    return el('li', { class: 'card fault' },
      el('div', {},
        el('strong', {}, FAULTS[fault.kind]?.text ?? fault.kind), details.length ? ` (${details.join(', ')})` : '',
        el('p', { class: 'muted' }, `${on === 'api' ? 'API' : 'callbacks'}, ${name ?? 'all operations'}${limits.length ? `; ${limits.join(', ')}` : ''}`)),
      pill(`triggered by ${hits} of ${seen}`, hits ? 'warn' : 'quiet'),
      el('button', { class: 'small', 'aria-label': `Remove fault ${id}`, onclick: () => remove(`${PATH}/${id}`) }, 'Remove'));
  }

  const refresh = live(['fault', 'request', 'delivery'], signal, async () => {
    const { faults: active } = await get(PATH, signal);
    fill(list, active, ({ id }) => id, card);
    const at = active.findIndex(({ id }) => id === added);
    if (at >= 0) {
      reveal(list.children[at]);
      added = undefined;
    }
    nothing.hidden = active.length > 0;
    clear.hidden = active.length === 0;
  });
  draw();
  return () => {};
}
