// Removes everything that happened, after a confirmation.

import { call } from './api.js';
import { el, icon } from './dom.js';
import { failed, say } from './widgets.js';

/** The button that asks for the confirmation. */
export function resetButton() {
  return el('button', { class: 'icon-only', 'aria-label': 'Reset the emulator', title: 'Reset the emulator', onclick: ask }, icon('reset'));
}

function ask() {
  const dialog = el(
    'dialog', { 'aria-labelledby': 'reset-title', onclose: () => dialog.remove() },
    el('h2', { id: 'reset-title' }, 'Reset the emulator?'),
    el('p', {}, 'This removes all verifications, messages, callbacks and requests, also those of tests that run now. Applications, clock, faults and handset behaviors stay.'),
    el('div', { class: 'buttons' },
      el('button', { class: 'primary bad', onclick: reset }, 'Reset'),
      el('button', { autofocus: true, onclick: () => dialog.close() }, 'Cancel')),
  );
  async function reset() {
    try {
      await call('POST', '/_emu/reset');
      say('The emulator was reset', 'ok');
    } catch (error) {
      failed(error);
    }
    dialog.close();
  }
  document.body.append(dialog);
  dialog.showModal();
}
