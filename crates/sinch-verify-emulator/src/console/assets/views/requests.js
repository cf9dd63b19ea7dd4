// The inspector: every request of the API, its answer, and the mistake in its authorization.

import { get, place } from '../api.js';
import { offerCalls } from '../calls.js';
import { chooseApplication } from '../applications.js';
import { browse } from '../list_view.js';
import { age } from '../clock.js';
import { el } from '../dom.js';
import { methodChoices } from '../methods.js';
import { snippets } from '../snippets.js';
import { copyButton, empty, facts, httpMessage, httpStatus, pill, select, table, trouble } from '../widgets.js';

const LIST = '/_emu/requests';

export function requests(root, signal) {
  return browse(root, signal, {
    title: 'Requests',
    place: 'requests',
    path: LIST,
    list: 'requests',
    kinds: ['request'],
    keyOf: ({ seq }) => seq,
    row,
    filters: [
      el('input', { type: 'search', name: 'text', 'aria-label': 'Number or text', placeholder: 'Number or text  /', autocomplete: 'off' }),
      select('operation', [['', 'Any operation'], 'start', 'report', 'status', 'outcome'], 'Operation'),
      select('verificationMethod', [['', 'Any method'], ...methodChoices()], 'Method'),
      select('status', [['', 'Any answer'], '200', '400', ['401', '401: not authorized'], ['403', '403: denied'], '404', '409'], 'Answer'),
      chooseApplication(signal, 'Any application'),
    ],
    empty: () => empty('No requests yet', `Set the base URL of your client to ${location.origin}. Each request appears here, with its signature checked.`),
    detail,
  });
}

const isAccepted = ({ verdict }) => verdict === 'accepted';

function row(call) {
  const { at, method, path, status, operation, verificationMethod, number, authorization, verdict, anomalies } = call;
  return el('span', { class: 'cells' },
    el('span', { class: 'verb' }, method),
    el('span', { class: 'who', title: path }, path.replace(/^\/verification\/v1/, '…')),
    httpStatus(status),
    age(at, 'service'),
    el('span', { class: 'what' }, [isAccepted(call) ? operation : verdict, verificationMethod, number].filter(Boolean).join(' · ')),
    anomalies.length > 0 && pill(anomalies.length === 1 ? '1 anomaly' : `${anomalies.length} anomalies`, 'warn'),
    el('span', { class: 'count' }, authorization));
}

async function detail(pane, seq, signal) {
  const path = `${LIST}/${encodeURIComponent(seq)}`;
  const shown = el('div', { class: 'stack' });
  pane.append(shown);
  offerCalls(signal, ['GET', path]);
  try {
    shown.append(...inspect(await get(path, signal)));
  } catch (error) {
    if (!signal.aborted) shown.append(trouble(error));
  }
}

function inspect(call) {
  const { at, ms, method, path, status, operation, verificationMethod, number, application, authorization, anomalies, errorCode, verificationId } = call;
  return [
    el('h2', { class: 'request-line' }, el('span', { class: 'verb' }, method), ' ', el('code', {}, path), ' ', httpStatus(status)),
    verdictOf(call),
    signatureOf(call),
    facts([
      ['Operation', operation],
      ['Number', number && el('a', { href: place('phones', number) }, number)],
      ['Method', verificationMethod],
      ['When', age(at, 'service')],
      ['Took', `${ms.toFixed(1)} ms`],
      ['Authorization', authorization],
      ['Application', application && el('code', {}, application)],
      ['Error code', errorCode],
      ['Verification', verificationId && el('a', { href: place('verifications', verificationId) }, verificationId)],
    ]),
    anomalies.length > 0 && el('section', { class: 'card warn' },
      el('h3', {}, 'Anomalies: accepted, but not as documented'),
      el('ul', {}, anomalies.map((anomaly) => el('li', {}, anomaly)))),
    snippets(call),
    httpMessage('Request', call.headers, call.body),
    call.response && httpMessage('Answer', call.response.headers, call.response.body),
  ].filter(Boolean);
}

function verdictOf(call) {
  const { verdict, explanation, fault } = call;
  const ordered = fault && el('p', {}, 'Fault triggered: ', el('a', { href: '#/faults' }, fault));
  if (isAccepted(call)) return el('div', { class: 'verdict ok' }, el('strong', {}, 'Accepted'), ordered);
  return el('section', { class: 'verdict bad' },
    el('strong', {}, 'Refused: '), verdict,
    explanation && el('p', { class: 'explanation' }, explanation.text),
    ordered);
}

/** The string to sign, line by line, beside the one that was signed by mistake. */
function signatureOf({ stringToSign, expectedSignature, explanation }) {
  if (!stringToSign) return undefined;
  const theirs = explanation?.signed?.split('\n');
  const lines = stringToSign.lines.map(({ name, value }, at) => {
    const signed = theirs?.[at] ?? '';
    const differs = theirs && signed !== value;
    return el('tr', { class: differs ? 'differs' : '' },
      el('th', { scope: 'row' }, name),
      el('td', {}, value ? el('code', {}, value) : '(empty)'),
      theirs && el('td', {}, signed ? el('code', {}, signed) : '(empty)', differs && el('span', { class: 'pill bad' }, 'differs')));
  });
  return el('section', { class: 'card' },
    el('h3', {}, 'The string to sign'),
    el('p', { class: 'muted' }, theirs
      ? 'Your signature belongs to the string on the right. The lines are joined by single line feeds, with none at the end.'
      : 'The lines are joined by single line feeds, with none at the end.'),
    el('div', { class: 'scroll' }, table(['', 'to sign', ...(theirs ? ['signed by you'] : [])], lines, 'signed')),
    el('p', {}, copyButton(stringToSign.ours, 'the string to sign', { label: 'Copy the string' })),
    expectedSignature && facts([['Expected signature', el('span', {}, el('code', {}, expectedSignature), copyButton(expectedSignature, 'the expected signature'))]]));
}
