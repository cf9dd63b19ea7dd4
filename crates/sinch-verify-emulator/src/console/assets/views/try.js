// Try it: starts a verification as a backend does, and shows the request in the languages of its clients.

import { call, place } from '../api.js';
import { offerCalls } from '../calls.js';
import { chooseApplication } from '../applications.js';
import { el, reveal } from '../dom.js';
import { feed } from '../feed.js';
import { methodChoices } from '../methods.js';
import { snippets } from '../snippets.js';
import { accepted, empty, field, httpStatus, refused, select, source, trouble } from '../widgets.js';
import { SAMPLE } from './first_steps.js';

const PATH = '/_emu/try';

export function tryIt(root, signal) {
  const number = el('input', { name: 'number', value: SAMPLE, required: true, autocomplete: 'off', inputmode: 'tel' });
  const method = select('method', methodChoices());
  const application = chooseApplication(signal);
  const result = el('section', { class: 'detail', 'aria-label': 'Result', 'aria-live': 'polite', tabindex: '-1' }, nothing());
  const form = el('form', { class: 'stack', onsubmit: start, oninput: draw },
    field('Method', method),
    field('Number', number, 'Any number works. Magic numbers have a fixed outcome.'),
    field('Reference', el('input', { name: 'reference', autocomplete: 'off' }), 'Your own id for the verification. Use each one once.'),
    field('Custom', el('input', { name: 'custom', autocomplete: 'off' }), 'Your own text, returned in the callbacks.'),
    field('Accept-Language', el('input', { name: 'acceptLanguage', placeholder: 'sv-SE, en', autocomplete: 'off' })),
    field('Application', application),
    el('button', { class: 'primary' }, 'Start the verification'));
  const offer = offerCalls(signal);
  root.append(el('section', { class: 'list' }, el('header', { class: 'list-head' }, el('h1', {}, 'Try it')), form), result);

  function body() {
    const given = Object.fromEntries([...new FormData(form)].filter(([, value]) => value.trim() !== ''));
    if (application.hidden) delete given.application;
    return given;
  }

  function draw() {
    offer(['POST', PATH, body()]);
  }

  async function start(event) {
    event.preventDefault();
    const wanted = body();
    try {
      const answer = await call('POST', PATH, wanted);
      accepted(form);
      result.replaceChildren(...outcome(wanted, answer));
      reveal(result);
    } catch (error) {
      // An earlier success must not look like the answer to this one.
      result.replaceChildren(error.field ? nothing() : trouble(error));
      if (error.field) refused(form, error);
      else reveal(result);
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

function nothing() {
  return empty('Nothing started', 'The emulator sends a signed request to its own API, as a backend does. The result appears here and in the other views.');
}

function outcome({ number }, answer) {
  const { request, status, response } = answer;
  const id = response?.id;
  return [
    el('h2', {}, status < 300 ? 'Started ' : 'Refused ', httpStatus(status)),
    el('p', { class: 'links' },
      status < 300 && el('a', { class: 'button primary', href: place('phones', number) }, 'Open the phone'),
      id && el('a', { class: 'button', href: place('verifications', id) }, 'Open the verification'),
      request && el('a', { class: 'button', href: place('requests', request) }, 'Open the request')),
    snippets(answer),
    source('Answer', typeof response === 'string' ? response : JSON.stringify(response, null, 2), 'the answer'),
  ];
}
