// The methods of the emulator, and the form of their messages.

import { info } from './feed.js';

/** The method with this name. */
export function methodOf(name) {
  return info.methods.find(({ method }) => method === name) ?? { method: name, title: name };
}

/** The options of a choice of method, each with its title. */
export function methodChoices() {
  return info.methods.map(({ method, title }) => [method, title]);
}
