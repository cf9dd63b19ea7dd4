// What goes wrong on purpose.

import { call, get } from '../api.js';
import { el, fill } from '../dom.js';
import { live } from '../feed.js';
import { callNote, callNotes, empty, failed, field, pill, say, select } from '../widgets.js';

const PATH = '/_emu/faults';

/** Each with what it means, and the fields that it takes. */
const FAULTS = {
  latency: { text: 'It takes longer', takes: ['from', 'to'] },
  status: { text: 'An error is the answer', takes: ['status'] },
  reset: { text: 'The connection is reset', takes: ['handled'] },
  stall: { text: 'No answer ever comes', takes: [] },
  truncate: { text: 'The body is cut', takes: [] },
  malformed: { text: 'The JSON is broken', takes: [] },
};

const OPERATIONS = {
  api: ['start', 'report', 'status', 'outcome'],
  callback: ['request', 'result', 'delivered'],
};

export function faults(root, signal) {
  const place = select('on', [['api', 'Answers of the API'], ['callback', 'Callbacks to you']]);
  const operation = el('select', { name: 'operation' });
  const kind = select('kind', Object.entries(FAULTS).map(([key, { text }]) => [key, text]));
  const inputs = {
    from: field('From', el('input', { name: 'from', value: '500ms', size: 6 })),
    to: field('To', el('input', { name: 'to', value: '2s', size: 6 })),
    status: field('Status', el('input', { name: 'status', type: 'number', min: 400, max: 599, value: 503 })),
    handled: el('label', { class: 'check' }, el('input', { type: 'checkbox', name: 'handled' }), 'after the request was carried out'),
  };
  const note = el('div', {});
  const form = el('form', { class: 'stack', onsubmit: add, oninput: draw },
    field('Where', place), field('For', operation), field('What', kind),
    el('div', { class: 'side-by-side' }, Object.values(inputs)),
    field('Number', el('input', { name: 'number', placeholder: 'any', autocomplete: 'off' })),
    el('div', { class: 'side-by-side' },
      field('How likely', el('input', { name: 'probability', type: 'number', min: 0, max: 1, step: 'any', placeholder: '1' })),
      field('Every nth', el('input', { name: 'every', type: 'number', min: 1, placeholder: '1' })),
      field('In all', el('input', { name: 'count', type: 'number', min: 1, placeholder: 'no end' }))),
    el('button', { class: 'primary' }, 'Add the fault'),
    note);
  const list = el('ul', { class: 'cards', 'aria-label': 'Faults in force' });
  const nothing = empty('Nothing goes wrong', 'A fault makes the service misbehave as a network or a bad day would. The first one that fits a request strikes.');
  const clear = el('button', { class: 'small', onclick: () => change('DELETE', PATH) }, 'Remove all');
  root.append(
    el('section', { class: 'list' }, el('header', { class: 'list-head' }, el('h1', {}, 'Add a fault')), form),
    el('section', { class: 'detail', 'aria-label': 'Faults in force' }, el('header', { class: 'list-head' }, el('h2', {}, 'In force'), clear), nothing, list,
      callNotes(callNote('GET', PATH), callNote('DELETE', PATH))),
  );

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
    operation.replaceChildren(...['', ...OPERATIONS[place.value]].map((name) => el('option', { value: name, selected: name === chosen }, name || 'everything')));
  }

  function draw() {
    operations();
    const { takes } = FAULTS[kind.value];
    for (const [name, input] of Object.entries(inputs)) {
      input.hidden = !takes.includes(name) || (name === 'handled' && place.value !== 'api');
    }
    note.replaceChildren(callNote('POST', PATH, rule()));
  }

  async function add(event) {
    event.preventDefault();
    await change('POST', PATH, rule());
  }

  async function change(method, path, body) {
    try {
      await call(method, path, body);
      say(method === 'POST' ? 'The fault is in force' : 'Removed', 'ok');
      refresh();
    } catch (error) {
      failed(error);
    }
  }

  function card({ id, rule: { on, operation: name, number, application, probability, every, count, fault }, seen, hits }) {
    const limits = [
      number, application && `application ${application}`, probability !== undefined && `likely ${probability}`,
      every > 1 && `one in ${every}`, count && `${count} in all`,
    ].filter(Boolean);
    const details = Object.entries(fault).filter(([key]) => key !== 'kind').map(([key, value]) => `${key} ${value}`);
    return el('li', { class: 'card fault' },
      el('div', {},
        el('strong', {}, FAULTS[fault.kind]?.text ?? fault.kind), details.length ? ` (${details.join(', ')})` : '',
        el('p', { class: 'muted' }, `${on === 'api' ? 'API' : 'callbacks'}, ${name ?? 'everything'}${limits.length ? `; ${limits.join(', ')}` : ''}`)),
      pill(`${hits} of ${seen} struck`, hits ? 'warn' : 'quiet'),
      el('button', { class: 'small', 'aria-label': `Remove fault ${id}`, title: `DELETE ${PATH}/${id}`, onclick: () => change('DELETE', `${PATH}/${id}`) }, 'Remove'));
  }

  const refresh = live(['fault', 'request', 'delivery'], signal, async () => {
    const { faults: active } = await get(PATH, signal);
    fill(list, active, ({ id }) => id, card);
    nothing.hidden = active.length > 0;
    clear.hidden = active.length === 0;
  });
  draw();
  return () => {};
}
