// The conformance checks of a callback receiver.

import { call } from '../api.js';
import { chooseApplication } from '../applications.js';
import { el } from '../dom.js';
import { feed, info } from '../feed.js';
import { callNote, failed, field, pill, table } from '../widgets.js';

const PATH = '/_emu/conformance';

/** A card that runs the checks and shows the report. */
export function conformanceCard(signal) {
  const application = chooseApplication(signal);
  const run = el('button', { class: 'primary' }, 'Run the checks');
  const report = el('div', { class: 'report stack', role: 'status' });
  const note = el('div', {});
  const form = el('form', { class: 'stack', oninput: draw, onsubmit: start }, field('Application', application), run, note);

  function draw() {
    note.replaceChildren(callNote('POST', PATH, { application: application.value }));
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
        el('div', { class: 'scroll' }, table(['Check', 'Required answer', 'Answer', ''], checks.map(row))),
      );
      report.scrollIntoView({ block: 'nearest' });
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
  return el('tr', {},
    el('td', {}, name, el('p', { class: 'muted' }, sent)), el('td', {}, expected), el('td', {}, got),
    el('td', {}, pill(ok ? 'passed' : 'failed', ok ? 'ok' : 'bad')));
}
