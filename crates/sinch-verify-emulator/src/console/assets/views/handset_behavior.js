// What a phone does by itself.

import { call, get } from '../api.js';
import { el } from '../dom.js';
import { live } from '../feed.js';
import { callNote, failed, field, say, select } from '../widgets.js';

const PATH = '/_emu/behaviors';

/** Each with what it means, and the fields that it takes. */
const BEHAVIORS = {
  wait: { text: 'Nothing: I do the rest', takes: [] },
  report: { text: 'The proof is reported', takes: ['after', 'wrong'] },
  never: { text: 'Nothing arrives', takes: [] },
  late: { text: 'It arrives late', takes: ['after'] },
  unreachable: { text: 'It cannot be reached', takes: ['after'] },
  busy: { text: 'The line is busy', takes: ['after'] },
  'hang-up': { text: 'A callout is hung up', takes: ['after'] },
};

/** The behavior that counts for `number`: the narrowest one. */
function counting(behaviors, number) {
  const width = (one) => {
    if (one.number) return one.number === number ? 100 : -1;
    if (one.prefix) return number.startsWith(one.prefix) ? one.prefix.length : -1;
    return one.application ? 0.5 : 0;
  };
  return behaviors.filter((one) => width(one) >= 0).sort((a, b) => width(b) - width(a))[0];
}

function scopeOf({ number, prefix, application }) {
  if (number) return 'this number';
  if (prefix) return `all numbers that begin with ${prefix}`;
  return application ? 'all numbers of one application' : 'all numbers';
}

/** A card that shows and sets it. */
export function behaviorCard(number, signal) {
  const now = el('p', { class: 'behavior-now' });
  const act = select('do', Object.entries(BEHAVIORS).map(([key, { text }]) => [key, text]));
  const after = field('after', el('input', { name: 'after', value: '2s', size: 5, autocomplete: 'off' }));
  const wrong = field('wrong first', el('input', { name: 'wrong', type: 'number', min: 0, max: 9, value: 0 }));
  const scope = select('scope', [['number', 'This number'], ['everyone', 'All numbers']]);
  const note = el('div', {});
  const form = el('form', { class: 'stack', onsubmit: set, oninput: draw },
    field('By itself', act), el('div', { class: 'side-by-side' }, after, wrong), field('For', scope),
    el('div', { class: 'buttons' }, el('button', { class: 'primary' }, 'Set'), el('button', { type: 'button', title: `DELETE ${PATH}`, onclick: clear }, 'Forget all')),
    note);

  function body() {
    const given = Object.fromEntries(new FormData(form));
    const behavior = { do: given.do };
    const { takes } = BEHAVIORS[given.do];
    if (takes.includes('after')) behavior.after = given.after;
    if (takes.includes('wrong') && given.wrong > 0) behavior.wrong = Number(given.wrong);
    return given.scope === 'number' ? { number, behavior } : { everyone: true, behavior };
  }

  function draw() {
    const { takes } = BEHAVIORS[act.value];
    after.hidden = !takes.includes('after');
    wrong.hidden = !takes.includes('wrong');
    note.replaceChildren(callNote('POST', PATH, body()));
  }

  async function set(event) {
    event.preventDefault();
    await change('POST', body(), 'The handset behavior is set');
  }

  async function clear() {
    await change('DELETE', undefined, 'All handset behaviors are forgotten');
  }

  async function change(method, wanted, done) {
    try {
      await call(method, PATH, wanted);
      say(done, 'ok');
      refresh();
    } catch (error) {
      failed(error);
    }
  }

  const refresh = live(['behavior'], signal, async () => {
    const { behaviors } = await get(PATH, signal);
    const found = counting(behaviors, number);
    const { do: name, after: delay, wrong: count } = found?.behavior ?? { do: 'wait' };
    const details = [delay && name !== 'wait' && `after ${delay}`, count && `${count} wrong first`].filter(Boolean);
    now.replaceChildren(
      el('b', {}, BEHAVIORS[name]?.text ?? name), details.length ? ` (${details.join(', ')})` : '',
      el('span', { class: 'muted' }, found ? ` · set for ${scopeOf(found)}` : ' · unless it is a magic number'),
    );
  });
  draw();
  return el('section', { class: 'card' }, el('h3', {}, 'Handset behavior'), now, form);
}
