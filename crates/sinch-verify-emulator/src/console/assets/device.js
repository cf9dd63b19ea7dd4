// The app on the phone: reports the codes and caller ids that reach the phone. It knows the application's key
// but no secret, and calls the emulated API. If the application requires more than the key, its backend sends
// the reports.

import { call, Failure, path } from './api.js';
import { methodOf } from './methods.js';

/** Whether an application accepts reports with its key alone. */
export const takesKeyAlone = ({ minimum }) => minimum === 'public';

/** The report of the code or caller id in `message`; `typed` replaces it. */
export function reportOf(message, application, typed) {
  const { report: { key, field } } = methodOf(message.kind);
  const [id, body] = [message.verificationId, { method: message.kind, [key]: { [field]: typed ?? message[field] } }];
  if (!takesKeyAlone(application)) return { method: 'POST', path: path('_emu', 'verifications', id, 'report'), body };
  return {
    method: 'PUT',
    path: path('verification', 'v1', 'verifications', 'id', id),
    body,
    headers: { authorization: `Application ${application.key}` },
  };
}

/** Sends a report. Returns the verification. */
export async function send({ method, path: where, body, headers }) {
  const answer = await call(method, where, body, { headers });
  if (headers) return answer;
  // The backend's request and the answer to it.
  const { status, response } = answer;
  if (status >= 300) throw new Failure(status, response?.message ?? response);
  return response;
}

/** Opens the address of a data verification, as the phone does over mobile data. */
export function follow(message) {
  return call('GET', new URL(message.targetUri).pathname);
}
