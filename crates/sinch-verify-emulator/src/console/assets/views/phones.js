// The list of phones. Every number is a phone after its first message.

import { browse } from '../list_view.js';
import { age } from '../clock.js';
import { el, icon } from '../dom.js';
import { methodOf } from '../methods.js';
import { callNote, copy, empty, say } from '../widgets.js';
import { isUnread, markRead } from '../unread.js';
import { firstSteps, isWanted, SAMPLE } from './first_steps.js';
import { phone } from './phone.js';

const ICONS = { text: 'message', ring: 'call', speech: 'call', address: 'link' };

let newest;

/** Copies the newest code of the phone in view. */
export function copyNewest() {
  if (newest) copy(newest, `the code ${newest}`);
  else say('The phone in view has no code');
}

export function phones(root, signal) {
  const steps = el('div', { class: 'steps-place' });
  if (isWanted()) firstSteps(steps, signal);
  signal.addEventListener('abort', () => { newest = undefined; });

  const show = browse(root, signal, {
    title: 'Phones',
    place: 'phones',
    path: '/_emu/phones',
    list: 'phones',
    kinds: ['message', 'ended'],
    keyOf: ({ number }) => number,
    row,
    empty: () => el('p', { class: 'muted none' }, 'No messages yet. A phone appears here when a message or call is sent to its number.'),
    idle: () => el('div', { class: 'stack' }, steps, empty('Choose a phone', 'Its messages and calls appear here. You can report codes, press keys and end calls.')),
    detail: (pane, number, detail) => {
      phone(pane, number, detail, number === SAMPLE && steps, (seq, code) => {
        newest = code;
        if (markRead(number, seq)) root.querySelector(`[data-number="${number}"]`)?.removeAttribute('data-unread');
      });
    },
  });
  root.querySelector('.list').append(callNote('GET', '/_emu/phones'));
  return show;
}

function row({ number, last, pendingCallout, messages }) {
  const unread = isUnread(number, last.seq);
  const { form, title } = methodOf(last.kind);
  return el(
    'span', { class: 'phone-row', 'data-number': number, 'data-unread': unread },
    el('span', { class: 'avatar', 'aria-hidden': 'true' }, icon(ICONS[form] ?? 'phone')),
    el('span', { class: 'who' }, number, el('span', { class: 'unread' }, 'unread')),
    age(last.at, 'service'),
    el('span', { class: 'what' }, form === 'text' ? last.text : title),
    pendingCallout ? el('span', { class: 'pill busy' }, 'on a call') : el('span', { class: 'count' }, String(messages)),
  );
}
