// A request in the languages of its clients, one at a time.

import { el } from './dom.js';
import { copyButton, select } from './widgets.js';

const KEY = 'language';

/** The languages, by their names in the answers of the emulator. */
const LANGUAGES = {
  curl: 'curl',
  rust: 'Rust',
  node: 'Node',
  python: 'Python',
  java: 'Java',
};

/** Shows the request in the language that was chosen last, if the request has a form in it. */
export function snippets(request) {
  const known = Object.entries(LANGUAGES).filter(([name]) => request[name]);
  const choice = select('language', known, 'Language of the request');
  choice.value = known.some(([name]) => name === localStorage.getItem(KEY)) ? localStorage.getItem(KEY) : 'curl';
  const text = el('pre', { tabindex: '0' });
  const copy = el('span', {});
  const draw = () => {
    text.textContent = request[choice.value];
    copy.replaceChildren(copyButton(request[choice.value], `the request as ${LANGUAGES[choice.value]}`));
  };
  choice.addEventListener('input', () => {
    localStorage.setItem(KEY, choice.value);
    draw();
  });
  draw();
  return el('figure', { class: 'source' }, el('figcaption', {}, el('label', {}, 'As ', choice), copy), text);
}
