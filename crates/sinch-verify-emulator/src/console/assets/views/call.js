// A call on the screen of a phone: a ringing flash call, or a callout with its keypad.

import { el, icon } from '../dom.js';
import { methodOf } from '../methods.js';
import { callerId, hangUp, press, reportIt } from './phone.js';

const KEYS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'];

/** Returns a function that shows the given call, or none. */
export function overlay(screen, number) {
  let shown;
  return (message) => {
    const wanted = message?.seq;
    // An unchanged call is not redrawn, so that the typed keys stay.
    if (wanted === shown) return;
    screen.querySelector('.call')?.remove();
    shown = wanted;
    if (wanted === undefined) return;
    const build = methodOf(message.kind).form === 'ring' ? flashCall : callout;
    screen.append(build(message, number, () => hangUp(number)));
  };
}

function flashCall(message, number, decline) {
  return el(
    'section', { class: 'call ringing', role: 'alert', 'aria-label': `Flash call from ${message.cli}` },
    el('p', { class: 'call-title' }, 'Flash call'),
    el('p', { class: 'caller-big' }, callerId(message.cli)),
    el('p', { class: 'muted' }, 'Do not answer: the caller id is the code.'),
    el('div', { class: 'rings', 'aria-hidden': 'true' }, icon('call')),
    el('div', { class: 'call-buttons' },
      el('button', { class: 'round bad', onclick: decline }, icon('cross'), 'Hang up'),
      el('button', { class: 'round ok', onclick: () => reportIt(message) }, icon('check'), 'Report')),
  );
}

function callout(message, number, decline) {
  const section = el('section', { class: 'call', role: 'alert', 'aria-label': 'Incoming call' },
    el('p', { class: 'call-title' }, 'Incoming call'),
    el('p', { class: 'caller-big' }, 'Verification service'),
    el('div', { class: 'rings', 'aria-hidden': 'true' }, icon('call')),
    el('div', { class: 'call-buttons' },
      el('button', { class: 'round bad', onclick: decline }, icon('cross'), 'Decline'),
      el('button', { class: 'round ok', onclick: () => answer() }, icon('call'), 'Answer')));
  const answer = () => {
    const pad = keypad(message, number, decline);
    section.replaceWith(pad);
    pad.focus();
  };
  return section;
}

function keypad(message, number, decline) {
  const typed = el('output', { class: 'typed', 'aria-label': 'Typed keys', 'aria-live': 'polite' });
  const type = (key) => { if (typed.textContent.length < 10) typed.textContent += key; };
  const send = () => {
    if (typed.textContent === '') return;
    press(number, typed.textContent);
    typed.textContent = '';
  };
  const onkeydown = (event) => {
    const act = KEYS.includes(event.key) ? () => type(event.key) : {
      Enter: send,
      Backspace: () => { typed.textContent = typed.textContent.slice(0, -1); },
      Escape: decline,
    }[event.key];
    // On a button, Enter activates the button.
    if (!act || (event.key === 'Enter' && event.target.matches('button'))) return;
    event.preventDefault();
    act();
  };
  return el(
    'section', { class: 'call keypad', 'aria-label': 'Call, with a keypad', tabindex: '0', 'data-takes-keys': true, onkeydown },
    el('p', { class: 'call-title' }, 'On a call'),
    el('blockquote', {}, message.text),
    typed,
    el('div', { class: 'keys' }, KEYS.map((key) => el('button', { onclick: () => type(key) }, key))),
    el('div', { class: 'call-buttons' },
      el('button', { class: 'round bad', onclick: decline }, icon('cross'), 'Hang up'),
      el('button', { class: 'round ok', onclick: send }, icon('check'), 'Send keys')),
  );
}
