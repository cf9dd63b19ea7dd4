// Callbacks: every delivery of an event, the undelivered events, and the conformance checks.

import { call, get, place } from '../api.js';
import { chooseApplication } from '../applications.js';
import { browse } from '../list_view.js';
import { age } from '../clock.js';
import { el, fill } from '../dom.js';
import { info, live } from '../feed.js';
import { callNote, empty, facts, failed, field, httpMessage, pill, say, select, trouble } from '../widgets.js';
import { conformanceCard } from './conformance.js';

const LIST = '/_emu/deliveries';

export function callbacks(root, signal) {
  const show = browse(root, signal, {
    title: 'Callbacks',
    place: 'callbacks',
    path: LIST,
    list: 'deliveries',
    kinds: ['delivery'],
    keyOf: ({ seq }) => seq,
    row,
    filters: [chooseApplication(signal, 'Any application')],
    empty: () => el('p', { class: 'muted none' }, 'No event was posted yet.'),
    idle: () => overview(),
    detail,
  });
  let shown;
  function overview() {
    shown ??= el('div', { class: 'stack' }, endpoints(signal), queue(signal), conformanceCard(signal));
    return shown;
  }
  root.querySelector('.list').append(callNote('GET', LIST));
  return show;
}

function row({ event, verificationId, attempt, status, ok, at, verdict, replayOf, variant }) {
  return el('span', { class: 'cells' },
    el('span', { class: 'who', title: event }, event.replace(/^Verification|Event$/g, '')),
    answered(status, ok),
    age(at, 'wire'),
    el('span', { class: 'what' }, verdict ?? variant ?? verificationId),
    el('span', { class: 'count' }, replayOf ? 'replay' : `try ${attempt}`));
}

/** The status of the answer. The required answer to an invalid callback is a refusal. */
function answered(status, ok) {
  if (!status) return pill('no answer', 'bad');
  return ok ? pill(String(status), 'ok') : pill(`${status}, failed`, 'bad');
}

/** Descriptions of the built-in replays. A kit has more, which have only names. */
const REPLAYS = {
  same: 'unchanged, with a new signature',
  duplicate: 'twice, byte for byte',
  reordered: 'all events of the verification, latest first',
  stale: 'timestamp of an hour ago',
  future: 'timestamp of an hour from now',
  forged: 'signed with a wrong secret',
  truncated: 'half of the body',
};

async function detail(pane, seq, signal) {
  const shown = el('div', { class: 'stack' });
  pane.append(shown);
  try {
    const { deliveries } = await get(`${LIST}?before=${Number(seq) + 1}&limit=1`, signal);
    const one = deliveries.find((delivery) => delivery.seq === Number(seq));
    if (one) shown.append(...inspect(one));
    else shown.append(empty('Not available', 'This delivery is no longer kept.'));
  } catch (error) {
    if (!signal.aborted) shown.append(trouble(error));
  }
}

function inspect({ seq, event, verificationId, attempt, url, at, ms, status, ok, verdict, replayOf, variant, request, response, requestHeaders, responseHeaders }) {
  return [
    el('h2', {}, event, ' ', answered(status, ok)),
    el('p', { class: `verdict ${ok ? 'ok' : 'bad'}` }, el('strong', {}, ok ? 'Answered as required' : 'Not answered as required'), verdict && `: ${verdict}`),
    facts([
      ['Try', String(attempt)],
      ['Replay of', replayOf && el('a', { href: place('callbacks', replayOf) }, String(replayOf))],
      ['Posted to', url],
      ['When', age(at, 'wire')],
      ['Took', `${ms} ms`],
      ['Change', variant],
      // The checks use verifications that do not exist.
      ['Verification', variant?.startsWith('conformance')
        ? verificationId
        : el('a', { href: place('verifications', verificationId) }, verificationId)],
    ]),
    replayForm(seq),
    httpMessage('Event', requestHeaders, request),
    httpMessage('Answer', responseHeaders, response),
  ];
}

function replayForm(seq) {
  const path = `${LIST}/${seq}/replay`;
  const variant = select('as', info.replays.map((name) => [name, REPLAYS[name] ? `${name}: ${REPLAYS[name]}` : name]));
  const note = el('div', {});
  const draw = () => note.replaceChildren(callNote('POST', path, { as: variant.value }));
  const result = el('div', { class: 'replayed stack', role: 'status' });
  const form = el('form', {
    class: 'stack',
    oninput: draw,
    onsubmit: async (event) => {
      event.preventDefault();
      try {
        const answer = await call('POST', path, { as: variant.value });
        result.replaceChildren(...(answer.deliveries ?? [answer]).map(outcome));
      } catch (error) {
        failed(error);
      }
    },
  }, el('div', { class: 'side-by-side' }, field('Replay', variant), el('button', { class: 'primary' }, 'Post')), note, result);
  draw();
  return el('section', { class: 'card' }, el('h3', {}, 'Post this event again'), form);
}

function outcome({ seq, status, ok, verdict }) {
  return el('p', { class: `verdict ${ok ? 'ok' : 'bad'}` },
    answered(status, ok), ' ', verdict ?? (ok ? 'answered as required' : 'not answered as required'), ' ',
    el('a', { href: place('callbacks', seq) }, 'details'));
}

/** The callback URL of each application. */
function endpoints(signal) {
  const list = el('div', { class: 'stack' });
  const note = el('div', {});
  live([], signal, async () => {
    const { applications } = await get('/_emu/info', signal);
    fill(list, applications, ({ key }) => key, endpoint);
    note.replaceChildren(callNote('PUT', pathOf(applications[0].key), { url: 'http://127.0.0.1:8000/callback' }));
  });
  return el('section', { class: 'card' }, el('h2', {}, 'Callback URLs'), list, note);
}

const pathOf = (key) => `/_emu/applications/${encodeURIComponent(key)}/callback`;

/** The authorizations that an application accepts, by its minimum. */
const ACCEPTED = {
  public: 'accepts public, basic and signed requests',
  basic: 'accepts basic and signed requests',
  signed: 'accepts signed requests only',
};

/** How events are authorized. */
const AUTH = [['signed', 'signed'], ['basic', 'basic authorization']];

function endpoint({ key, callbackUrl, callbackAuth, minimum }) {
  const url = el('input', { name: 'url', value: callbackUrl ?? '', placeholder: 'none', 'aria-label': `Callback URL of ${key}`, autocomplete: 'off', inputmode: 'url' });
  const auth = select('auth', AUTH, `Authorization of callbacks of ${key}`);
  auth.value = callbackAuth;
  return el('form', {
    class: 'endpoint',
    onsubmit: async (event) => {
      event.preventDefault();
      try {
        await call('PUT', pathOf(key), { url: url.value.trim() || null, auth: auth.value });
        say('Callback URL set', 'ok');
      } catch (error) {
        failed(error);
      }
    },
  }, el('p', {}, el('code', {}, key), el('span', { class: 'muted' }, ` · ${ACCEPTED[minimum]}`)), el('div', { class: 'side-by-side' }, url, auth, el('button', {}, 'Set')));
}

/** The undelivered events, and when each is tried next. */
function queue(signal) {
  const list = el('ul', { class: 'waiting', 'aria-label': 'Waiting events' });
  const nothing = el('p', { class: 'muted' }, 'All events are delivered.');
  let again;
  const refresh = live(['delivery', 'ended'], signal, async () => {
    const { waiting } = await get('/_emu/queue', signal);
    // The queue changes shortly after the `delivery` event, and no event reports the start of a try.
    clearTimeout(again);
    if (waiting.length > 0 && !signal.aborted) again = setTimeout(refresh, 1000);
    fill(list, waiting, ({ verificationId, event }) => `${verificationId} ${event}`, ({ event, attempt, nextAt, underWay, url, verificationId }) => el('li', {},
      el('strong', {}, event), ` try ${attempt} `, nextAt ? age(nextAt, 'service') : underWay ? 'being posted' : 'after the event before it',
      el('p', { class: 'muted' }, `to ${url} · `, el('a', { href: place('verifications', verificationId) }, 'verification'))));
    nothing.hidden = waiting.length > 0;
  });
  return el('section', { class: 'card' }, el('h2', {}, 'Undelivered events'), list, nothing, callNote('GET', '/_emu/queue'));
}
