// The methods that the emulator knows, and what their messages look like.

import { info } from './feed.js';

/** What is known of the method with this name. */
export function methodOf(name) {
  return info.methods.find(({ method }) => method === name) ?? { method: name, title: name };
}

/** The methods to choose from, each with its name for people. */
export function methodChoices() {
  return info.methods.map(({ method, title }) => [method, title]);
}
