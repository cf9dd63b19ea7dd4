// The first visit: three steps to a verified number.

import { call, get, path, place, withQuery } from '../api.js';
import { offerCalls } from '../calls.js';
import { applicationOf } from '../applications.js';
import * as device from '../device.js';
import { el, icon } from '../dom.js';
import { live } from '../feed.js';
import { failed, say } from '../widgets.js';

/** A fictional number. */
export const SAMPLE = '+46700000001';

const DONE = 'first-steps';
const START = { method: 'sms', number: SAMPLE };

/**
 * Returns the place of the steps. They are in it on the first visit, as long as there are no phones but the one that
 * they lead to.
 */
export function firstSteps(signal) {
  const root = el('div', { class: 'steps-place' });
  if (localStorage.getItem(DONE) === null) show(root, signal);
  return root;
}

function show(root, signal) {
  /** Whether the steps were begun on this page; then they are shown to their end. */
  let begun = false;
  let message;
  let application;
  let verified = false;
  let reporting = false;
  const typed = el('input', { name: 'code', inputmode: 'numeric', autocomplete: 'off', size: 8, placeholder: 'Code', 'aria-label': 'The code on the phone' });
  const steps = [
    {
      title: 'Start a verification',
      body: [
        el('p', {}, 'Your backend asks the service to verify a number. This button does the same, with a signed request.'),
        el('button', { class: 'primary', onclick: start }, `Verify ${SAMPLE} by SMS`),
      ],
    },
    {
      title: 'Read the code on the phone',
      body: [
        el('p', {}, 'The SMS is on ', el('a', { href: place('phones', SAMPLE) }, `the phone of ${SAMPLE}`), '. Every number has a phone on this page.'),
      ],
    },
    {
      title: 'Report the code',
      body: [
        el('form', { class: 'side-by-side', onsubmit: submit }, typed, el('button', { class: 'primary' }, 'Report the code')),
      ],
    },
  ].map(({ title, body }) => ({ item: el('li', {}), title, body }));
  const end = el('div', { class: 'verified', role: 'status' });
  const notNow = el('button', { class: 'small', onclick: leave }, 'Not now');
  const panel = el(
    'section', { class: 'first-steps', 'aria-labelledby': 'first-steps-title' },
    el('header', {},
      el('h2', { id: 'first-steps-title' }, 'Verify your first number'),
      notNow),
    el('ol', {}, steps.map(({ item }) => item)),
    end,
  );
  root.append(panel);
  const offer = offerCalls(signal, ['POST', '/_emu/try', START]);

  function at() {
    if (verified) return 3;
    return message ? 2 : 0;
  }

  let drawn;
  function draw() {
    const current = at();
    if (current === drawn) return;
    drawn = current;
    steps.forEach(({ item, title, body }, step) => {
      const done = step < current;
      // Steps 2 and 3 are open together, because the phone shows the code.
      const open = step === current || (current === 2 && step === 1);
      item.className = done ? 'done' : open ? 'open' : '';
      item.replaceChildren(
        el('span', { class: 'step-mark', 'aria-hidden': 'true' }, done ? icon('check') : String(step + 1)),
        el('div', {}, el('h3', {}, title, done && el('span', { class: 'unseen' }, ', done')), open && !(done && step === 0) ? body : undefined),
      );
    });
    if (message) {
      const { method, path: where, body } = device.reportOf(message, application, '…');
      offer(['POST', '/_emu/try', START], [method, where, body]);
    }
    if (verified) {
      notNow.hidden = true;
      end.replaceChildren(
        el('p', {}, icon('check'), el('strong', {}, `${SAMPLE} is verified.`)),
        el('p', {}, 'Now point your own client at ', el('code', {}, location.origin), '. See what happened: ',
          el('a', { href: place('verifications', message.verificationId) }, 'the verification'), ', ',
          el('a', { href: '#/requests' }, 'its requests'), '; or ',
          el('a', { href: '#/try' }, 'try another method'), '.'),
        el('button', { class: 'small', onclick: leave }, 'Done'),
      );
    }
  }

  async function start() {
    begun = true;
    try {
      await call('POST', '/_emu/try', START);
      location.hash = place('phones', SAMPLE);
    } catch (error) {
      failed(error);
    }
  }

  async function submit(event) {
    event.preventDefault();
    const code = typed.value.trim();
    if (!code || !message) return;
    reporting = true;
    try {
      const { status } = await device.send(device.reportOf(message, application, code));
      verified = status === 'SUCCESSFUL';
      say(status, verified ? 'ok' : 'bad');
      if (verified) localStorage.setItem(DONE, 'done');
      draw();
    } catch (error) {
      failed(error);
    } finally {
      reporting = false;
    }
  }

  function leave() {
    localStorage.setItem(DONE, 'left');
    hide();
  }

  function hide() {
    panel.remove();
    offer();
  }

  live(['message', 'ended'], signal, async () => {
    if (!begun) {
      const { phones } = await get('/_emu/phones?limit=1', signal);
      if (phones.length > 0 && !begun) hide();
      return;
    }
    // During a report, the message must not change.
    if (verified || reporting) return;
    const [{ messages }, { verifications }] = await Promise.all([
      get(withQuery(path('_emu', 'numbers', SAMPLE, 'messages'), { limit: 20 }), signal),
      get(withQuery('/_emu/verifications', { number: SAMPLE, method: 'sms', status: 'PENDING', limit: 1 }), signal),
    ]);
    const [pending] = verifications;
    message = messages.find(({ verificationId }) => verificationId === pending?.id);
    application = applicationOf(pending?.application);
    draw();
  });
  draw();
}
