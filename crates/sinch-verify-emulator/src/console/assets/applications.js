// The applications of the emulator.

import { el } from './dom.js';
import { feed, info } from './feed.js';

/** A choice of application, with the option `any` if that is a text. Hidden if there is only one application. */
export function chooseApplication(signal, any) {
  const choice = el('select', { name: 'application', 'aria-label': any && 'Application' });
  const draw = () => {
    const chosen = choice.value;
    const keys = info.applications.map(({ key }) => [key, key]);
    const options = any ? [['', any], ...keys] : keys;
    choice.replaceChildren(...options.map(([value, text]) => el('option', { value, selected: value === chosen }, text)));
    choice.hidden = keys.length < 2;
  };
  // After a restart the emulator may have other applications, and applications may be added.
  for (const kind of ['live', 'applications']) feed.addEventListener(kind, draw, { signal });
  draw();
  return choice;
}

/** The application with this key. */
export function applicationOf(key) {
  return info.applications.find((one) => one.key === key);
}
