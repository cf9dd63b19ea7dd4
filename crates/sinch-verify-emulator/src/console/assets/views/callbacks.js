// Callbacks: every try to post an event, what waits, and how the receiver stands up to abuse.

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
    empty: () => el('p', { class: 'muted none' }, 'Nothing was posted yet.'),
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

/** The status of the answer; the right one to something spoilt is a refusal. */
function answered(status, ok) {
  if (!status) return pill('no answer', 'bad');
  return ok ? pill(String(status), 'ok') : pill(`${status}, failed`, 'bad');
}

/** Ways to post an event once more; others come with a kit, and their names say what they are. */
const REPLAYS = {
  same: 'as it was, signed anew',
  duplicate: 'twice, byte for byte',
  reordered: 'all of its verification, the last one first',
  stale: 'signed an hour ago',
  future: 'signed an hour from now',
  forged: 'signed without the secret',
  truncated: 'half of the body',
};

async function detail(pane, seq, signal) {
  const shown = el('div', { class: 'stack' });
  pane.append(shown);
  try {
    const { deliveries } = await get(`${LIST}?before=${Number(seq) + 1}&limit=1`, signal);
    const one = deliveries.find((delivery) => delivery.seq === Number(seq));
    if (one) shown.append(...inspect(one));
    else shown.append(empty('Forgotten', 'This delivery is no longer kept.'));
  } catch (error) {
    if (!signal.aborted) shown.append(trouble(error));
  }
}

function inspect({ seq, event, verificationId, attempt, url, at, ms, status, ok, verdict, replayOf, variant, request, response, requestHeaders, responseHeaders }) {
  return [
    el('h2', {}, event, ' ', answered(status, ok)),
    el('p', { class: `verdict ${ok ? 'ok' : 'bad'}` }, el('strong', {}, ok ? 'It did its job' : 'It did not do its job'), verdict && `: ${verdict}`),
    facts([
      ['Try', String(attempt)],
      ['Replay of', replayOf && el('a', { href: place('callbacks', replayOf) }, String(replayOf))],
      ['Posted to', url],
      ['When', age(at, 'wire')],
      ['Took', `${ms} ms`],
      ['Way', variant],
      // The checks are about verifications that never were.
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
  }, el('div', { class: 'side-by-side' }, field('Replay', variant), el('button', { class: 'primary' }, 'Post it')), note, result);
  draw();
  return el('section', { class: 'card' }, el('h3', {}, 'Post it once more'), form);
}

function outcome({ seq, status, ok, verdict }) {
  return el('p', { class: `verdict ${ok ? 'ok' : 'bad'}` },
    answered(status, ok), ' ', verdict ?? (ok ? 'as it should be' : 'not as it should be'), ' ',
    el('a', { href: place('callbacks', seq) }, 'details'));
}

/** Where events go, for each application. */
function endpoints(signal) {
  const list = el('div', { class: 'stack' });
  const note = el('div', {});
  live([], signal, async () => {
    const { applications } = await get('/_emu/info', signal);
    fill(list, applications, ({ key }) => key, endpoint);
    note.replaceChildren(callNote('PUT', pathOf(applications[0].key), { url: 'http://127.0.0.1:8000/callback' }));
  });
  return el('section', { class: 'card' }, el('h2', {}, 'Where events go'), list, note);
}

const pathOf = (key) => `/_emu/applications/${encodeURIComponent(key)}/callback`;

function endpoint({ key, callbackUrl, minimum }) {
  const url = el('input', { name: 'url', value: callbackUrl ?? '', placeholder: 'nowhere', 'aria-label': `Callback URL of ${key}`, autocomplete: 'off', inputmode: 'url' });
  return el('form', {
    class: 'endpoint',
    onsubmit: async (event) => {
      event.preventDefault();
      try {
        await call('PUT', pathOf(key), { url: url.value.trim() || null });
        say('Events go there from now on', 'ok');
      } catch (error) {
        failed(error);
      }
    },
  }, el('p', {}, el('code', {}, key), el('span', { class: 'muted' }, ` · at least ${minimum}`)), el('div', { class: 'side-by-side' }, url, el('button', {}, 'Set')));
}

/** What is to be posted again, and when. */
function queue(signal) {
  const list = el('ul', { class: 'waiting', 'aria-label': 'Waiting events' });
  const nothing = el('p', { class: 'muted' }, 'Nothing waits.');
  let again;
  const refresh = live(['delivery', 'ended'], signal, async () => {
    const { waiting } = await get('/_emu/queue', signal);
    // A try is told of when it is over, and the queue moves a moment later; when a try begins
    // nobody tells.
    clearTimeout(again);
    if (waiting.length > 0 && !signal.aborted) again = setTimeout(refresh, 1000);
    fill(list, waiting, ({ verificationId, event }) => `${verificationId} ${event}`, ({ event, attempt, nextAt, underWay, url, verificationId }) => el('li', {},
      el('strong', {}, event), ` try ${attempt} `, nextAt ? age(nextAt, 'service') : underWay ? 'under way' : 'after the one before it',
      el('p', { class: 'muted' }, `to ${url} · `, el('a', { href: place('verifications', verificationId) }, 'verification'))));
    nothing.hidden = waiting.length > 0;
  });
  return el('section', { class: 'card' }, el('h2', {}, 'Retry queue'), list, nothing, callNote('GET', '/_emu/queue'));
}
