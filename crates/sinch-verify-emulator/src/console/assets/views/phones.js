// The list of phones. Every number is a phone after its first message.

import { browse } from '../list_view.js';
import { age } from '../clock.js';
import { el, icon } from '../dom.js';
import { methodOf } from '../methods.js';
import { copy, pill, say } from '../widgets.js';
import { isUnread, markRead } from '../unread.js';
import { firstSteps, SAMPLE } from './first_steps.js';
import { phone } from './phone.js';

const ICONS = { text: 'message', ring: 'call', speech: 'call', address: 'link' };

let newest;

/** Copies the newest code of the phone in view. */
export function copyNewest() {
  if (newest) copy(newest, `the code ${newest}`);
  else say('The phone in view has no code');
}

export function phones(root, signal) {
  const steps = firstSteps(signal);
  signal.addEventListener('abort', () => { newest = undefined; });

  return browse(root, signal, {
    title: 'Phones',
    place: 'phones',
    path: '/_emu/phones',
    list: 'phones',
    kinds: ['message', 'ended', 'call-over'],
    keyOf: ({ number }) => number,
    row,
    filters: [el('input', { type: 'search', name: 'text', 'aria-label': 'Number or code', placeholder: 'Number or code  /', autocomplete: 'off' })],
    empty: () => el('p', { class: 'muted none' }, 'No messages yet. A phone appears here when a message or call is sent to its number.'),
    idle: () => steps,
    detail: (pane, number, detail) => {
      phone(pane, number, detail, number === SAMPLE && steps, (seq, code) => {
        newest = code;
        if (markRead(number, seq)) root.querySelector(`[data-number="${number}"]`)?.removeAttribute('data-unread');
      });
    },
  });
}

function row({ number, last, status, pendingCallout }) {
  const unread = isUnread(number, last.seq);
  const { form, title } = methodOf(last.kind);
  const code = last.code ?? last.cli;
  return el(
    'span', { class: 'phone-row', 'data-number': number, 'data-unread': unread },
    el('span', { class: 'avatar', 'aria-hidden': 'true' }, icon(ICONS[form] ?? 'phone')),
    el('span', { class: 'who' }, number, el('span', { class: 'unread' }, 'unread')),
    age(last.at, 'service'),
    el('span', { class: 'what' }, code && [el('b', { class: 'code' }, code), ' '], form === 'text' ? last.text : title),
    pendingCallout ? pill('on a call', 'busy') : pill(status),
  );
}
