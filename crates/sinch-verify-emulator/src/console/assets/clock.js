// The two clocks: service time decides when verifications expire and can be moved; requests and callbacks
// use the wall clock.

import { call, get } from './api.js';
import { el, icon } from './dom.js';
import { live } from './feed.js';
import { offerCalls } from './calls.js';
import { failed } from './widgets.js';

let ahead = 0;
let standing;

/** Milliseconds of `service` or `wire` time. */
export function now(clock) {
  if (clock === 'service') return standing ?? Date.now() + ahead;
  return Date.now();
}

/** The time since or until `at`, as a text that is updated every second. */
export function age(at, clock) {
  const time = el('time', { datetime: at, 'data-clock': clock, title: `${at} (${clock} time)` });
  tick(time);
  return time;
}

function tick(time) {
  const seconds = (now(time.dataset.clock) - Date.parse(time.dateTime)) / 1000;
  const text = seconds < -0.5 ? `in ${duration(-seconds)}` : seconds < 1 ? 'now' : `${duration(seconds)} ago`;
  if (time.textContent !== text) time.textContent = text;
}

/** A duration in its largest unit. */
function duration(seconds) {
  for (const [unit, length] of [['d', 86_400], ['h', 3_600], ['min', 60]]) {
    if (seconds >= 2 * length) return `${Math.floor(seconds / length)} ${unit}`;
  }
  return `${Math.max(1, Math.floor(seconds))} s`;
}

/** Hour and minute of an instant, as a phone shows them. */
export function hour(at) {
  return new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
}

const MOVE = '/_emu/clock';

/** The clock with its buttons. The connection mark shows if the emulator does not answer. */
export function strip(root, signal) {
  const time = el('time', { class: 'service-time' });
  const offset = el('span', { class: 'muted', title: 'Ahead of the wall clock' });
  const next = el('span', { class: 'next muted' });
  let state = {};
  const move = (body) => async () => {
    try {
      show(await call('POST', MOVE, body));
    } catch (error) {
      failed(error);
    }
  };
  const button = (label, body, title) => el(
    'button',
    { class: 'small', title, onclick: move(body) },
    label,
  );
  const pause = el('button', { class: 'small icon-only', onclick: () => move({ pause: !state.manual })() });
  const jump = button('Next expiry', { to: 'next-expiry' }, 'Move to the next expiry');
  root.append(
    el('span', { class: 'label' }, 'Service time'), el('span', { class: 'times' }, time, offset), pause,
    button('+1 m', { advance: '1m' }, 'Move one minute ahead'),
    button('+5 m', { advance: '5m' }, 'Move five minutes ahead'),
    jump, next,
  );
  offerCalls(signal, ['GET', MOVE], ['POST', MOVE, { advance: '5m' }]);

  function show(clock) {
    state = clock;
    standing = clock.manual ? Date.parse(clock.service) : undefined;
    ahead = Date.parse(clock.service) - Date.parse(clock.wire);
    const label = clock.manual ? 'Resume the clock' : 'Pause the clock';
    pause.replaceChildren(icon(clock.manual ? 'play' : 'pause'));
    pause.setAttribute('aria-label', label);
    pause.title = label;
    root.classList.toggle('paused', clock.manual);
    offset.textContent = clock.manual ? 'paused' : ahead > 1500 ? `+${duration(ahead / 1000)}` : '';
    jump.disabled = !clock.nextExpiry;
    next.replaceChildren(...(clock.nextExpiry ? [age(clock.nextExpiry, 'service')] : []));
    draw();
  }

  function draw() {
    time.textContent = new Date(now('service')).toLocaleTimeString([], { hourCycle: 'h23' });
    document.querySelectorAll('time[data-clock]').forEach(tick);
  }

  live(['clock', 'started', 'ended'], signal, async () => {
    show(await get(MOVE, signal));
  }, { onError: () => {} });
  setInterval(draw, 1000);
}
