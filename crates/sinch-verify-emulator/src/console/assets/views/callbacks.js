// Callbacks: every delivery of an event, the undelivered events, and the conformance checks.

import { call, get, place, withQuery } from '../api.js';
import { chooseApplication } from '../applications.js';
import { offerCalls } from '../calls.js';
import { browse } from '../list_view.js';
import { age } from '../clock.js';
import { el, fill, reveal } from '../dom.js';
import { info, live } from '../feed.js';
import { accepted, empty, facts, failed, field, httpMessage, pill, refused, say, select, trouble } from '../widgets.js';
import { conformanceCard } from './conformance.js';

const LIST = '/_emu/deliveries';

/** The item above the list: where callbacks go, and how they are answered. */
const RECEIVER = 'receiver';

export function callbacks(root, signal) {
  let receiver;
  return browse(root, signal, {
    title: 'Callbacks',
    place: 'callbacks',
    path: LIST,
    list: 'deliveries',
    kinds: ['delivery'],
    // A conformance run is one item.
    parameters: { group: 'run' },
    keyOf: ({ seq, checks, conformance }) => (checks ? `run-${conformance.run}` : seq),
    row,
    pinned: { id: RECEIVER, title: 'Receiver: URLs, undelivered events, conformance' },
    filters: [chooseApplication(signal, 'Any application')],
    empty: () => el('p', { class: 'muted none' }, 'No event was posted yet.'),
    detail: (pane, id, detail) => {
      if (id === RECEIVER) {
        // Made once, so that the report of a conformance run stays.
        receiver ??= el('div', { class: 'stack' }, endpoints(signal), queue(signal), conformanceCard(signal));
        pane.append(receiver);
      } else if (String(id).startsWith('run-')) run(pane, id.slice(4), detail);
      else one(pane, id, detail);
    },
  });
}

function row(delivery) {
  const { event, number, method, decision, result, verificationId, attempt, status, ok, at, verdict, replayOf, variant, checks, url } = delivery;
  if (checks) {
    return el('span', { class: 'cells' },
      el('span', { class: 'who' }, 'Conformance run'), passed(checks), age(at, 'wire'), el('span', { class: 'what' }, url));
  }
  return el('span', { class: 'cells' },
    el('span', { class: 'who' }, number ?? verificationId),
    answered(status, ok),
    age(at, 'wire'),
    el('span', { class: 'what' }, [shortName(event), method, decision ?? result].filter(Boolean).join(' · ')),
    el('span', { class: 'count' }, replayOf ? 'replay' : `try ${attempt}`),
    (verdict ?? variant) && el('span', { class: 'why' }, verdict ?? variant));
}

const shortName = (event) => event.replace(/^Verification|Event$/g, '');

/** How many checks of a run passed. */
function passed({ passed: good, posted }) {
  return pill(`${good} of ${posted} passed`, good === posted ? 'ok' : 'bad');
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

/** The callbacks of a conformance run. */
function run(pane, id, signal) {
  const path = withQuery(LIST, { run: id, limit: 1000 });
  const head = el('h2', {});
  const list = el('ul', { 'aria-label': 'Checks' });
  pane.append(head, list);
  offerCalls(signal, ['GET', path]);
  live(['delivery'], signal, async () => {
    const { deliveries } = await get(path, signal);
    const good = deliveries.filter(({ ok }) => ok).length;
    head.replaceChildren('Conformance run ', passed({ passed: good, posted: deliveries.length }));
    fill(list, deliveries.toReversed(), ({ seq }) => seq, check);
  }, { onError: (error) => head.replaceChildren(trouble(error)) });
}

function check({ seq, ok, status, variant, verdict }) {
  return el('li', {}, el('a', { class: 'row', href: place('callbacks', seq) },
    el('span', { class: 'check-row' },
      pill(ok ? 'passed' : 'failed', ok ? 'ok' : 'bad'),
      el('span', {}, variant.replace('conformance: ', '')),
      el('span', { class: 'count' }, status ? String(status) : 'no answer'),
      verdict && el('span', { class: 'why' }, verdict))));
}

async function one(pane, seq, signal) {
  const shown = el('div', { class: 'stack' });
  pane.append(shown);
  try {
    const { deliveries } = await get(`${LIST}?before=${Number(seq) + 1}&limit=1`, signal);
    const found = deliveries.find((delivery) => delivery.seq === Number(seq));
    if (found) shown.append(...inspect(found, signal));
    else shown.append(empty('Not available', 'This delivery is no longer kept.'));
  } catch (error) {
    if (!signal.aborted) shown.append(trouble(error));
  }
}

function inspect(delivery, signal) {
  const { seq, event, number, method, decision, result, verificationId, attempt, url, at, ms, status, ok, verdict, replayOf, variant, conformance, request, response, requestHeaders, responseHeaders } = delivery;
  return [
    el('h2', {}, event, ' ', answered(status, ok)),
    el('p', { class: `verdict ${ok ? 'ok' : 'bad'}` }, el('strong', {}, ok ? 'Answered as required' : 'Not answered as required'), verdict && `: ${verdict}`),
    facts([
      ['Number', number && (conformance ? number : el('a', { href: place('phones', number) }, number))],
      ['Method', method],
      ['Decision', decision],
      ['Result', result],
      ['Try', String(attempt)],
      ['Replay of', replayOf && el('a', { href: place('callbacks', replayOf) }, String(replayOf))],
      ['Posted to', url],
      ['When', age(at, 'wire')],
      ['Took', `${ms} ms`],
      ['Change', variant],
      ['Run', conformance && el('a', { href: place('callbacks', `run-${conformance.run}`) }, `check ${conformance.number} of the run`)],
      // The checks use verifications that do not exist.
      ['Verification', conformance
        ? verificationId
        : el('a', { href: place('verifications', verificationId) }, verificationId)],
    ]),
    replayForm(seq, signal),
    httpMessage('Event', requestHeaders, request),
    httpMessage('Answer', responseHeaders, response),
  ];
}

function replayForm(seq, signal) {
  const path = `${LIST}/${seq}/replay`;
  const variant = select('as', info.replays.map((name) => [name, REPLAYS[name] ? `${name}: ${REPLAYS[name]}` : name]));
  const offer = offerCalls(signal);
  const draw = () => offer(['GET', LIST], ['POST', path, { as: variant.value }]);
  const result = el('div', { class: 'replayed stack', role: 'status', tabindex: '-1' });
  const form = el('form', {
    class: 'stack',
    oninput: draw,
    onsubmit: async (event) => {
      event.preventDefault();
      try {
        const answer = await call('POST', path, { as: variant.value });
        result.replaceChildren(...(answer.deliveries ?? [answer]).map(outcome));
        reveal(result);
      } catch (error) {
        failed(error);
      }
    },
  }, el('div', { class: 'side-by-side' }, field('Replay', variant), el('button', { class: 'primary' }, 'Post')), result);
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
  live([], signal, async () => {
    const { applications } = await get('/_emu/info', signal);
    fill(list, applications, ({ key }) => key, (application) => endpoint(application, signal));
  });
  return el('section', { class: 'card' }, el('h2', {}, 'Callback URLs'), list);
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

function endpoint({ key, callbackUrl, callbackAuth, minimum }, signal) {
  const url = el('input', { name: 'url', value: callbackUrl ?? '', placeholder: 'none', 'aria-label': `Callback URL of ${key}`, autocomplete: 'off', inputmode: 'url' });
  const auth = select('auth', AUTH, `Authorization of callbacks of ${key}`);
  auth.value = callbackAuth;
  const body = () => ({ url: url.value.trim() || null, auth: auth.value });
  const offer = offerCalls(signal, ['PUT', pathOf(key), body()]);
  const form = el('form', {
    class: 'endpoint',
    oninput: () => offer(['PUT', pathOf(key), body()]),
    onsubmit: async (event) => {
      event.preventDefault();
      try {
        await call('PUT', pathOf(key), body());
        accepted(form);
        say('Callback URL set', 'ok');
      } catch (error) {
        refused(form, error);
      }
    },
  }, el('p', {}, el('code', {}, key), el('span', { class: 'muted' }, ` · ${ACCEPTED[minimum]}`)), el('div', { class: 'side-by-side' }, el('div', { class: 'field' }, url), auth, el('button', {}, 'Set')));
  return form;
}

/** The undelivered events, and when each is tried next. */
function queue(signal) {
  const list = el('ul', { class: 'waiting', 'aria-label': 'Waiting events' });
  const nothing = el('p', { class: 'muted' }, 'All events are delivered.');
  offerCalls(signal, ['GET', '/_emu/queue']);
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
  return el('section', { class: 'card' }, el('h2', {}, 'Undelivered events'), list, nothing);
}
