// The list of verifications, and the timeline of each.

import { call, get, path, place } from '../api.js';
import { offerCalls } from '../calls.js';
import { chooseApplication } from '../applications.js';
import { browse } from '../list_view.js';
import { age } from '../clock.js';
import { el, fill } from '../dom.js';
import { live } from '../feed.js';
import { methodChoices } from '../methods.js';
import { copyButton, empty, facts, failed, pill, say, select, trouble } from '../widgets.js';

const LIST = '/_emu/verifications';

export function verifications(root, signal) {
  return browse(root, signal, {
    title: 'Verifications',
    place: 'verifications',
    path: LIST,
    list: 'verifications',
    kinds: ['started', 'ended', 'message', 'request'],
    keyOf: ({ id }) => id,
    row,
    filters: [
      el('input', { type: 'search', name: 'number', 'aria-label': 'Number', placeholder: 'Number  /', pattern: '\\+?[0-9]{5,15}', autocomplete: 'off' }),
      select('status', [['', 'Any status'], 'PENDING', 'SUCCESSFUL', 'FAIL', 'DENIED', 'ABORTED', 'ERROR'], 'Status'),
      select('method', [['', 'Any method'], ...methodChoices()], 'Method'),
      chooseApplication(signal, 'Any application'),
    ],
    empty: () => empty('No verification yet', 'Start one from your code or on this page.', el('a', { class: 'button primary', href: '#/try' }, 'Try it')),
    detail,
  });
}

function row({ number, method, status, reason, startedAt, attempts, attemptsAllowed, reference }) {
  return el('span', { class: 'cells' },
    el('span', { class: 'who' }, number),
    el('span', { class: 'method' }, method),
    pill(status),
    age(startedAt, 'service'),
    el('span', { class: 'what' }, reason ?? (reference ? `reference ${reference}` : '')),
    attempts > 0 && el('span', { class: 'count', title: 'Wrong attempts' }, `${attempts} of ${attemptsAllowed} wrong`));
}

/** The actions on a pending verification. */
const ACTIONS = [
  ['expire', 'Expire now'],
  ['deliver', 'Deliver now'],
  ['deny', 'Deny'],
];

function detail(pane, id, signal) {
  const one = path('_emu', 'verifications', id);
  const head = el('div', {});
  const timeline = el('ol', { class: 'timeline', 'aria-label': 'Timeline' });
  const act = (action) => async () => {
    try {
      await call('POST', `${one}/${action}`);
      say('Done', 'ok');
    } catch (error) {
      failed(error);
    }
  };
  const buttons = ACTIONS.map(([action, label]) => el('button', { class: 'small', value: action, onclick: act(action) }, label));
  pane.append(head, el('div', { class: 'buttons' }, buttons), timeline);
  offerCalls(signal, ['GET', one], ...ACTIONS.map(([action]) => ['POST', `${one}/${action}`]));
  live(['started', 'ended', 'message', 'call-over', 'request', 'delivery', 'keys', 'followed', 'clock'], signal, async () => {
    const shown = await get(one, signal);
    const { timeline: steps, ...others } = shown;
    fill(head, [others], () => id, () => el('div', { class: 'stack' }, summary(others)));
    const arrived = steps.some(({ kind }) => kind === 'sent');
    for (const button of buttons) {
      // Only a lost or delayed message can be delivered.
      button.disabled = shown.status !== 'PENDING' || (button.value === 'deliver' && arrived);
    }
    fill(timeline, steps.map((step, order) => ({ ...step, order })), ({ order }) => order, step);
  }, { about: { verificationId: id }, onError: (error) => head.replaceChildren(trouble(error)) });
}

function summary(shown) {
  const { id, number, method, status, reason, reference, application, startedAt, endedAt, expiresAt, attempts, attemptsAllowed, callbackUrl } = shown;
  return [
    el('h2', {}, number, ' ', pill(status), reason && el('span', { class: 'reason' }, reason)),
    facts([
      ['Method', method],
      ['Id', el('span', {}, el('code', {}, id), copyButton(id, 'the id'))],
      ['Reference', reference],
      ['Wrong attempts', `${attempts} (${attemptsAllowed} end the verification)`],
      ['Started', age(startedAt, 'service')],
      endedAt ? ['Ended', age(endedAt, 'service')] : ['Expires', expiresAt ? age(expiresAt, 'service') : 'never'],
      ['Application', el('code', {}, application)],
      ['Callback', callbackUrl ?? 'none, so no decision is requested'],
      ['Phone', el('a', { href: place('phones', number) }, number)],
    ]),
  ];
}

function step({ at, kind, text, request, delivery }) {
  return el('li', { class: kind },
    el('span', { class: 'step-kind' }, kind),
    el('span', { class: 'step-text' }, text,
      request && el('a', { href: place('requests', request) }, 'request'),
      delivery && el('a', { href: place('callbacks', delivery) }, 'delivery')),
    age(at, 'service'));
}
