// The applications that use the emulator, to choose from.

import { el } from './dom.js';
import { feed, info } from './feed.js';

/** A choice of application, or of `any` where that is a text; hidden where there is but one. */
export function chooseApplication(signal, any) {
  const choice = el('select', { name: 'application', 'aria-label': any && 'Application' });
  const draw = () => {
    const chosen = choice.value;
    const keys = info.applications.map(({ key }) => [key, key]);
    const options = any ? [['', any], ...keys] : keys;
    choice.replaceChildren(...options.map(([value, text]) => el('option', { value, selected: value === chosen }, text)));
    choice.hidden = keys.length < 2;
  };
  // Another run may have others.
  feed.addEventListener('live', draw, { signal });
  draw();
  return choice;
}

/** What is known of the application with this key. */
export function applicationOf(key) {
  return info.applications.find((one) => one.key === key);
}
