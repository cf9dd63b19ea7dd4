// The conformance checks of a callback receiver.

import { call } from '../api.js';
import { offerCalls } from '../calls.js';
import { chooseApplication } from '../applications.js';
import { el, reveal } from '../dom.js';
import { feed, info } from '../feed.js';
import { failed, field, pill } from '../widgets.js';

const PATH = '/_emu/conformance';

/** A card that runs the checks and shows the report. */
export function conformanceCard(signal) {
  const application = chooseApplication(signal);
  const run = el('button', { class: 'primary' }, 'Run the checks');
  const report = el('div', { class: 'report stack', role: 'status', tabindex: '-1' });
  const offer = offerCalls(signal);
  const form = el('form', { class: 'stack', oninput: draw, onsubmit: start }, field('Application', application), run);

  function draw() {
    offer(['POST', PATH, { application: application.value }]);
  }

  function ready() {
    run.disabled = !info.conformance;
    if (!info.conformance) report.replaceChildren(el('p', { class: 'muted' }, 'This emulator has no conformance checks. Start it with sinch-verify serve to use them.'));
    draw();
  }

  async function start(event) {
    event.preventDefault();
    run.disabled = true;
    report.replaceChildren(el('p', { class: 'muted' }, 'Running…'));
    try {
      const { ok, checks } = await call('POST', PATH, { application: application.value });
      const good = checks.filter((check) => check.ok).length;
      report.replaceChildren(
        el('p', { class: `verdict ${ok ? 'ok' : 'bad'}` }, el('strong', {}, `${good} of ${checks.length} checks passed`)),
        el('ul', { class: 'checks' }, checks.map(row)),
      );
      reveal(report);
    } catch (error) {
      report.replaceChildren();
      failed(error);
    } finally {
      run.disabled = false;
    }
  }

  feed.addEventListener('live', ready, { signal });
  ready();
  return el('section', { class: 'card' },
    el('h2', {}, 'Conformance of your receiver'),
    el('p', { class: 'muted' }, 'Posts valid, repeated, outdated, forged and truncated events to the callback URL, and checks the answers.'),
    form, report);
}

function row({ name, sent, expected, got, ok }) {
  return el('li', { class: 'check-row' },
    pill(ok ? 'passed' : 'failed', ok ? 'ok' : 'bad'),
    el('span', {}, name),
    el('span', { class: 'why' }, sent),
    el('span', { class: 'why' }, 'Required: ', el('b', {}, expected), '. Answer: ', el('b', {}, got), '.'));
}
