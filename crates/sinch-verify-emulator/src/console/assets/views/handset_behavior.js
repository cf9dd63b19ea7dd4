// Shows and sets what a phone does by itself.

import { call, get } from '../api.js';
import { offerCalls } from '../calls.js';
import { el } from '../dom.js';
import { live } from '../feed.js';
import { accepted, field, refused, say, select } from '../widgets.js';

const PATH = '/_emu/behaviors';

/** The text of each behavior, and its fields. */
const BEHAVIORS = {
  wait: { text: 'Nothing by itself', takes: [] },
  report: { text: 'Report the code or caller id', takes: ['after', 'wrong'] },
  never: { text: 'Lose the message', takes: [] },
  late: { text: 'Receive the message late', takes: ['after'] },
  unreachable: { text: 'Be unreachable', takes: ['after'] },
  busy: { text: 'Be busy', takes: ['after'] },
  'hang-up': { text: 'Hang up a callout', takes: ['after'] },
};

/** The behavior that applies to `number`: the one with the narrowest scope. */
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

/** A card that shows and sets the behavior of `number`. */
export function behaviorCard(number, signal) {
  const now = el('p', { class: 'behavior-now' });
  const act = select('do', Object.entries(BEHAVIORS).map(([key, { text }]) => [key, text]));
  const after = field('Delay', el('input', { name: 'after', value: '2s', size: 5, autocomplete: 'off' }));
  const wrong = field('Wrong reports first', el('input', { name: 'wrong', type: 'number', min: 0, max: 9, value: 0 }));
  const scope = select('scope', [['number', 'This number'], ['everyone', 'All numbers']]);
  const form = el('form', { class: 'stack', onsubmit: set, oninput: draw },
    field('Behavior', act), el('div', { class: 'side-by-side' }, after, wrong), field('Applies to', scope),
    el('div', { class: 'buttons' }, el('button', { class: 'primary' }, 'Set'), el('button', { type: 'button', onclick: clear }, 'Remove all')));
  const offer = offerCalls(signal);

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
    offer(['GET', PATH], ['POST', PATH, body()], ['DELETE', PATH]);
  }

  async function set(event) {
    event.preventDefault();
    await change('POST', body(), 'Handset behavior set');
  }

  async function clear() {
    await change('DELETE', undefined, 'All handset behaviors removed');
  }

  async function change(method, wanted, done) {
    try {
      await call(method, PATH, wanted);
      accepted(form);
      say(done, 'ok');
      refresh();
    } catch (error) {
      refused(form, error);
    }
  }

  const refresh = live(['behavior'], signal, async () => {
    const { behaviors } = await get(PATH, signal);
    const found = counting(behaviors, number);
    const { do: name, after: delay, wrong: count } = found?.behavior ?? { do: 'wait' };
    const details = [delay && name !== 'wait' && `after ${delay}`, count && `${count} wrong first`].filter(Boolean);
    now.replaceChildren(
      el('b', {}, BEHAVIORS[name]?.text ?? name), details.length ? ` (${details.join(', ')})` : '',
      el('span', { class: 'muted' }, found ? ` · set for ${scopeOf(found)}` : ' · default; magic numbers have their own outcome'),
    );
  });
  draw();
  return el('section', { class: 'card' }, el('h3', {}, 'Handset behavior'), now, form);
}
