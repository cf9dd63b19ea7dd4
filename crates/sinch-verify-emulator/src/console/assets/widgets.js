// Widgets that many views use.

import { el, icon, reveal } from './dom.js';

/** The colour of each status. */
const TONES = {
  SUCCESSFUL: 'ok',
  PENDING: 'busy',
  FAIL: 'bad',
  DENIED: 'bad',
  ERROR: 'bad',
  ABORTED: 'quiet',
};

/** A word in a coloured frame. */
export function pill(text, tone = TONES[text] ?? 'quiet') {
  return el('span', { class: `pill ${tone}` }, text);
}

/** The HTTP status of an answer, or `no answer`. */
export function httpStatus(status) {
  if (!status) return pill('no answer', 'bad');
  return pill(String(status), status < 300 ? 'ok' : status < 500 ? 'warn' : 'bad');
}

/** Shows a message for some seconds, and announces it to screen readers. */
export function say(text, tone = 'quiet') {
  const toast = el('p', { class: `toast ${tone}` }, text);
  const toasts = document.getElementById('toasts');
  // A repeated message replaces the earlier one. At most three are shown.
  for (const other of toasts.children) if (other.textContent === text) other.remove();
  if (toasts.childElementCount > 2) toasts.firstElementChild.remove();
  toasts.append(toast);
  setTimeout(() => toast.remove(), tone === 'bad' ? 8000 : 3500);
}

/** Shows an error, unless the call was aborted. */
export function failed(error) {
  if (error.name !== 'AbortError') say(error.message, 'bad');
}

/** Copies a text to the clipboard. */
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    say(`Copied ${what}`, 'ok');
  } catch {
    say('The browser does not let this page copy; select the text instead', 'bad');
  }
}

/** A button that copies `text`. `what` names it in the label and in the message afterwards. */
export function copyButton(text, what, { label, ...props } = {}) {
  return el(
    'button',
    { class: label ? 'small copy' : 'small copy icon-only', 'aria-label': `Copy ${what}`, title: `Copy ${what}`, onclick: () => copy(text, what), ...props },
    icon('copy'), label,
  );
}

/** The text of an empty list or pane. */
export function empty(title, text, ...more) {
  return el('div', { class: 'empty' }, el('h2', {}, title), el('p', {}, text), more);
}

/** The text in place of something that could not be loaded. */
export function trouble(error) {
  return el('div', { class: 'trouble', role: 'alert' }, el('strong', {}, 'This could not be shown. '), error.message);
}

/** A control with its label. */
export function field(name, control, hint) {
  return el('label', { class: 'field' }, el('span', {}, name), control, hint && el('small', {}, hint));
}

/**
 * Shows an error of the call that `form` makes. If the error names a control, it is shown beside the control until
 * `accepted` is called, because a message that disappears is gone before the value is right.
 */
export function refused(form, error) {
  accepted(form);
  const control = form.elements[error.field];
  if (!control) {
    failed(error);
    return;
  }
  control.setAttribute('aria-invalid', 'true');
  control.setAttribute('aria-describedby', `wrong-${error.field}`);
  control.after(el('small', { class: 'wrong', id: `wrong-${error.field}`, role: 'alert' }, error.problem));
  reveal(control, control.closest('.field'));
}

/** Removes the errors beside the controls of `form`. */
export function accepted(form) {
  for (const wrong of form.querySelectorAll('.wrong')) wrong.remove();
  for (const control of form.querySelectorAll('[aria-invalid]')) {
    control.removeAttribute('aria-invalid');
    control.removeAttribute('aria-describedby');
  }
}

/** A choice. Each option is a value, or a value and a text. Outside a `field` it needs a label. */
export function select(name, options, label) {
  const made = options.map((option) => {
    const [key, text] = [option].flat();
    return el('option', { value: key }, text ?? key);
  });
  return el('select', { name, 'aria-label': label }, made);
}

/** A list of names and values. */
export function facts(pairs) {
  const shown = pairs.filter(([, value]) => value !== undefined && value !== null && value !== '');
  return el('dl', { class: 'facts' }, shown.map(([name, value]) => [el('dt', {}, name), el('dd', {}, value)]));
}

/** A preformatted text with a button to copy it. */
export function source(title, text, what) {
  return el(
    'figure', { class: 'source' },
    el('figcaption', {}, title, copyButton(text, what)),
    el('pre', { tabindex: '0' }, text),
  );
}

/** A table. A column without a name has no heading. */
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

/** Indents JSON; returns other text unchanged. */
export function readable(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
