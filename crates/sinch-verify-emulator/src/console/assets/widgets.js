// Small things that many views show.

import { calls, curl } from './api.js';
import { el, icon } from './dom.js';

/** How each status looks, beside its word. */
const TONES = {
  SUCCESSFUL: 'ok',
  PENDING: 'busy',
  FAIL: 'bad',
  DENIED: 'bad',
  ERROR: 'bad',
  ABORTED: 'quiet',
};

/** A word with a colour that repeats what it says. */
export function pill(text, tone = TONES[text] ?? 'quiet') {
  return el('span', { class: `pill ${tone}` }, text);
}

/** The HTTP status of an answer, or that there was none. */
export function httpStatus(status) {
  if (!status) return pill('no answer', 'bad');
  return pill(String(status), status < 300 ? 'ok' : status < 500 ? 'warn' : 'bad');
}

/** Says something for a moment, to readers of screens too. */
export function say(text, tone = 'quiet') {
  const toast = el('p', { class: `toast ${tone}` }, text);
  const toasts = document.getElementById('toasts');
  // The same once more replaces the first, and there is room for three.
  for (const other of toasts.children) if (other.textContent === text) other.remove();
  if (toasts.childElementCount > 2) toasts.firstElementChild.remove();
  toasts.append(toast);
  setTimeout(() => toast.remove(), tone === 'bad' ? 8000 : 3500);
}

/** Says what went wrong, unless nobody waits for it any more. */
export function failed(error) {
  if (error.name !== 'AbortError') say(error.message, 'bad');
}

/** Puts a text on the clipboard. */
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    say(`Copied ${what}`, 'ok');
  } catch {
    say('The browser does not let this page copy; select the text instead', 'bad');
  }
}

/** A button that copies; `what` says what, for the label and the message after. */
export function copyButton(text, what, { label, ...props } = {}) {
  return el(
    'button',
    { class: label ? 'small copy' : 'small copy icon-only', 'aria-label': `Copy ${what}`, title: `Copy ${what}`, onclick: () => copy(text, what), ...props },
    icon('copy'), label,
  );
}

/** The API call behind a widget, to be copied for a script. */
export function callNote(method, path, body) {
  const text = body === undefined ? undefined : JSON.stringify(body);
  return el(
    'p', { class: 'call-note' },
    el('span', { class: 'verb' }, method),
    el('code', {}, path, text && el('span', { class: 'body' }, ` ${text}`)),
    copyButton(curl(method, path, text), 'this call as curl'),
  );
}

/** Several calls, behind one line. */
export function callNotes(...notes) {
  return el('details', { class: 'call-notes' }, el('summary', {}, 'API calls of this view'), notes);
}

/** What stands where there is nothing yet. */
export function empty(title, text, ...more) {
  return el('div', { class: 'empty' }, el('h2', {}, title), el('p', {}, text), more);
}

/** What stands where something could not be shown. */
export function trouble(error) {
  return el('div', { class: 'trouble', role: 'alert' }, el('strong', {}, 'This could not be shown. '), error.message);
}

/** A control with its name. */
export function field(name, control, hint) {
  return el('label', { class: 'field' }, el('span', {}, name), control, hint && el('small', {}, hint));
}

/** A choice; each option is a value, or a value and a text. Outside a `field` it needs a label. */
export function select(name, options, label) {
  const made = options.map((option) => {
    const [key, text] = [option].flat();
    return el('option', { value: key }, text ?? key);
  });
  return el('select', { name, 'aria-label': label }, made);
}

/** Named facts. */
export function facts(pairs) {
  const shown = pairs.filter(([, value]) => value !== undefined && value !== null && value !== '');
  return el('dl', { class: 'facts' }, shown.map(([name, value]) => [el('dt', {}, name), el('dd', {}, value)]));
}

/** A text as it is, with a way to copy it. */
export function source(title, text, what) {
  return el(
    'figure', { class: 'source' },
    el('figcaption', {}, title, copyButton(text, what)),
    el('pre', { tabindex: '0' }, text),
  );
}

/** A table; a column without a name has no heading. */
export function table(names, rows, kind) {
  const heads = names.map((name) => (name ? el('th', { scope: 'col' }, name) : el('td', {})));
  return el('table', { class: kind }, el('thead', {}, el('tr', {}, heads)), el('tbody', {}, rows));
}

/** Headers and body of a request or an answer. */
export function httpMessage(title, headers, body) {
  return el(
    'section', { class: 'card' },
    el('h3', {}, title),
    headers && el('dl', { class: 'headers' }, headers.map(([name, value]) => [el('dt', {}, name), el('dd', {}, value)])),
    body ? source('Body', readable(body), `the body of the ${title.toLowerCase()}`) : el('p', { class: 'muted' }, 'No body'),
  );
}

/** JSON with room to read; anything else as it is. */
export function readable(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** The latest call that changed something, at the foot of the page. */
export function lastCall(root) {
  root.append(el('span', { class: 'muted' }, 'Every click is an API call: the latest one shows here.'));
  calls.addEventListener('call', ({ detail }) => {
    const { method, path, text, headers, status, ms } = detail;
    root.replaceChildren(
      el('span', { class: 'verb' }, method),
      el('code', {}, path, text && el('span', { class: 'body' }, ` ${text}`)),
      httpStatus(status),
      el('span', { class: 'muted took' }, `${Math.round(ms)} ms`),
      copyButton(curl(method, path, text, headers), 'the latest call as curl', { label: 'curl' }),
    );
  });
}
