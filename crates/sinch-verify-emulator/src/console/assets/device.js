// What an app on the phone does: it reports what reached the phone, and knows the application's
// key but no secret. That is a call of the API that is emulated, not of the control interface. An
// application that wants more than its key has such reports made by its backend.

import { call, Failure, path } from './api.js';
import { methodOf } from './methods.js';

/** Whether an application takes reports with its key alone. */
export const takesKeyAlone = ({ minimum }) => minimum === 'public';

/** The report of what `message` carries to its application; `typed` replaces the code in it. */
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

/** Sends a report; the answer is the verification. */
export async function send({ method, path: where, body, headers }) {
  const answer = await call(method, where, body, { headers });
  if (headers) return answer;
  // What the backend was answered, and how it asked.
  const { status, response } = answer;
  if (status >= 300) throw new Failure(status, `${status}: ${response?.message ?? response}`);
  return response;
}

/** Fetches the address of a data verification, over the emulated mobile network. */
export function follow(message) {
  return call('GET', new URL(message.targetUri).pathname);
}
