// Try it: starts a verification as a backend does, and shows the request as curl and Rust.

import { call, place } from '../api.js';
import { chooseApplication } from '../applications.js';
import { el } from '../dom.js';
import { feed } from '../feed.js';
import { methodChoices } from '../methods.js';
import { callNote, failed, field, httpStatus, select, source } from '../widgets.js';
import { SAMPLE } from './first_steps.js';

const PATH = '/_emu/try';

export function tryIt(root, signal) {
  const number = el('input', { name: 'number', value: SAMPLE, required: true, autocomplete: 'off', inputmode: 'tel' });
  const method = select('method', methodChoices());
  const application = chooseApplication(signal);
  const note = el('div', {});
  const result = el('section', { class: 'detail', 'aria-label': 'Result', 'aria-live': 'polite' },
    el('div', { class: 'empty' }, el('h2', {}, 'Nothing started yet'), el('p', {}, 'The emulator sends a signed request to its own API, as a backend does. The result appears here and in the other views.')));
  const form = el('form', { class: 'stack', onsubmit: start, oninput: draw },
    field('Method', method),
    field('Number', number, 'Any number works. Magic numbers have a fixed outcome.'),
    field('Reference', el('input', { name: 'reference', autocomplete: 'off' }), 'Your own id for the verification. Use each one once.'),
    field('Custom', el('input', { name: 'custom', autocomplete: 'off' }), 'Your own text, returned in the callbacks.'),
    field('Accept-Language', el('input', { name: 'acceptLanguage', placeholder: 'sv-SE, en', autocomplete: 'off' })),
    field('Application', application),
    el('button', { class: 'primary' }, 'Start the verification'),
    note);
  root.append(el('section', { class: 'list' }, el('header', { class: 'list-head' }, el('h1', {}, 'Try it')), form), result);

  function body() {
    const given = Object.fromEntries([...new FormData(form)].filter(([, value]) => value.trim() !== ''));
    if (application.hidden) delete given.application;
    return given;
  }

  function draw() {
    note.replaceChildren(callNote('POST', PATH, body()));
  }

  async function start(event) {
    event.preventDefault();
    const wanted = body();
    try {
      const answer = await call('POST', PATH, wanted);
      if (!signal.aborted) result.replaceChildren(...outcome(wanted, answer));
    } catch (error) {
      failed(error);
    }
  }

  feed.addEventListener('live', draw, { signal });
  return (_, query) => {
    for (const [name, control] of [['number', number], ['method', method]]) {
      if (query.has(name)) control.value = query.get(name);
    }
    draw();
  };
}

function outcome({ number }, { request, status, response, curl, rust }) {
  const id = response?.id;
  return [
    el('h2', {}, status < 300 ? 'Started ' : 'Refused ', httpStatus(status)),
    el('p', { class: 'links' },
      status < 300 && el('a', { class: 'button primary', href: place('phones', number) }, 'Open the phone'),
      id && el('a', { class: 'button', href: place('verifications', id) }, 'Open the verification'),
      request && el('a', { class: 'button', href: place('requests', request) }, 'Open the request')),
    source('curl', curl, 'the request as curl'),
    source('Rust', rust, 'the request as Rust'),
    source('Answer', typeof response === 'string' ? response : JSON.stringify(response, null, 2), 'the answer'),
  ];
}
