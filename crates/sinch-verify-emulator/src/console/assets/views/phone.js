// One phone: its messages, its calls and its behavior.

import { call, get, path, place, withQuery } from '../api.js';
import { applicationOf } from '../applications.js';
import { offerCalls } from '../calls.js';
import { age, hour, now } from '../clock.js';
import * as device from '../device.js';
import { el, fill, icon } from '../dom.js';
import { live } from '../feed.js';
import { methodOf } from '../methods.js';
import { copyButton, failed, pill, say } from '../widgets.js';
import { overlay } from './call.js';
import { behaviorCard } from './handset_behavior.js';

const PAGE = 30;

/** Shows the phone of `number`, with `more` beside it. Calls `looked` with the newest message and code. */
export function phone(pane, number, signal, more, looked) {
  const inbox = path('_emu', 'numbers', number, 'messages');
  const thread = el('div', { class: 'thread', role: 'log', 'aria-label': `Messages and calls of ${number}, oldest first`, tabindex: '0' });
  const earlier = el('button', { class: 'small', hidden: true }, 'Earlier');
  const latest = el('button', { class: 'small', hidden: true }, 'Latest');
  const screen = el('div', { class: 'screen' }, el('div', { class: 'turn' }, earlier, latest), thread);
  const ringing = overlay(screen, number);
  const clock = el('span', {});
  pane.append(
    el('div', { class: 'phone-and-more' },
      el('div', { class: 'handset', role: 'group', 'aria-label': `Phone ${number}` },
        el('div', { class: 'status-bar' }, clock, el('span', { class: 'notch', 'aria-hidden': 'true' }), el('span', {}, 'EMU')),
        el('h2', { class: 'owner' }, number, copyButton(number, 'the number')),
        screen),
      el('div', { class: 'aside' },
        more,
        behaviorCard(number, signal),
        el('div', { class: 'card' },
          el('h3', {}, 'Send a message to this phone'),
          el('p', { class: 'muted' }, 'Start a verification of this number, as a backend does.'),
          el('a', { class: 'button', href: withQuery(place('try'), { number }) }, 'Try it')))),
  );
  offerCalls(signal,
    ['GET', inbox],
    ['GET', withQuery('/_emu/messages/wait', { to: number, after: 0, timeout: '10s' })],
    ['POST', path('_emu', 'numbers', number, 'keypad'), { digits: '1' }],
    ['POST', path('_emu', 'numbers', number, 'hang-up')]);

  let before;
  earlier.addEventListener('click', () => { before = next; refresh(); });
  latest.addEventListener('click', () => { before = undefined; refresh(); });
  let next;
  let newestSeq = 0;

  const refresh = live(['message', 'started', 'call-over', 'ended', 'clock'], signal, async () => {
    const [{ messages, next: following }, { verifications }] = await Promise.all([
      get(withQuery(inbox, { limit: PAGE, before }), signal),
      get(withQuery('/_emu/verifications', { number, limit: 200 }), signal),
    ]);
    next = following;
    show(messages, new Map(verifications.map((one) => [one.id, one])));
  }, { about: { number } });

  function show(messages, verifications) {
    clock.textContent = hour(now('service'));
    earlier.hidden = next === undefined;
    latest.hidden = before === undefined;
    const items = messages.toReversed().map((message) => {
      const { status, application } = verifications.get(message.verificationId) ?? {};
      return { ...message, status, application };
    });
    const atEnd = thread.scrollHeight - thread.scrollTop - thread.clientHeight < 40;
    fill(thread, items, ({ seq }) => seq, (item) => el('div', { class: item.kind, 'data-form': methodOf(item.kind).form }, bubble(item)));
    const last = messages[0];
    if (before !== undefined || !last) {
      ringing(undefined);
      return;
    }
    if (last.seq > newestSeq && (atEnd || newestSeq === 0)) thread.scrollTop = thread.scrollHeight;
    newestSeq = last.seq;
    looked(last.seq, messages.find(({ code }) => code)?.code);
    ringing(items.findLast((item) => item.ringing));
  }
}

/** Whether the message can still be reported. */
const isPending = ({ status }) => status === 'PENDING';

function bubble(message) {
  const { form, title } = methodOf(message.kind);
  const head = el('div', { class: 'bubble-head' }, el('span', { class: 'kind' }, title, message.language && ` · ${message.language}`), age(message.at, 'service'));
  const foot = el('div', { class: 'bubble-foot' },
    message.status && pill(message.status),
    el('a', { href: place('verifications', message.verificationId) }, 'Verification'));
  return el('article', { class: 'bubble' }, head, BODIES[form]?.(message), actions(message), foot);
}

/** The content of a bubble, by the form of the method's messages. */
const BODIES = {
  text: textAndCode,
  ring: ({ cli, missed }) => el('p', { class: 'caller' }, icon('call'), el('span', {}, missed ? 'Missed call from ' : 'Call from '), callerId(cli)),
  speech: ({ text, code }) => [el('blockquote', {}, text), code && bigCode(code)],
  address: ({ targetUri }) => [
    el('p', {}, 'An address that the app opens over mobile data. Opening it verifies the number.'),
    el('code', { class: 'address' }, targetUri),
  ],
};

function textAndCode({ text, code }) {
  return [el('p', { class: 'text' }, text), code && bigCode(code)];
}

function bigCode(code) {
  return el('p', { class: 'big-code' }, el('output', { 'aria-label': `Code ${[...code].join(' ')}` }, code), copyButton(code, `the code ${code}`));
}

/** A caller id with its last digits emphasized, which a filter compares. */
export function callerId(cli) {
  return el('span', { class: 'cli' }, cli.slice(0, -4), el('b', {}, cli.slice(-4)), copyButton(cli, 'the caller id'));
}

/** The buttons of a message while its verification is pending. */
function actions(message) {
  if (!isPending(message)) return undefined;
  const { form } = methodOf(message.kind);
  if (form === 'address') {
    return el('button', { class: 'small primary', onclick: () => answerOf(device.follow(message)) }, 'Open the address on the phone');
  }
  const button = (label) => el('button', { class: 'small primary', onclick: () => reportIt(message) }, label);
  if (device.takesKeyAlone(applicationOf(message.application))) return button(form === 'ring' ? 'Report the caller id' : 'Report this code');
  return [button('Report as the backend'), el('small', {}, 'This application does not accept reports from a phone, which has no secret.')];
}

/** Reports the code or caller id, as the app on the phone or as its backend. */
export function reportIt(message) {
  return answerOf(device.send(device.reportOf(message, applicationOf(message.application))));
}

async function answerOf(verification) {
  try {
    const { status, reason } = await verification;
    say(reason ? `${status}: ${reason}` : status, status === 'SUCCESSFUL' ? 'ok' : 'bad');
  } catch (error) {
    failed(error);
  }
}

/** Declines or ends the call to `number`. */
export function hangUp(number) {
  return answerOf(call('POST', path('_emu', 'numbers', number, 'hang-up')));
}

/** Presses keys in the callout to `number`. */
export function press(number, digits) {
  return answerOf(call('POST', path('_emu', 'numbers', number, 'keypad'), { digits }));
}
