// What an app on the phone does: it reports what reached the phone, and knows the application's
// key but no secret. These are calls of the API that is emulated, not of the control interface.

import { call, path } from './api.js';

/** The report of what `message` carries; `typed` replaces the code in it. */
export function reportOf(message, key, typed) {
  const proofs = {
    sms: () => ({ method: 'sms', sms: { code: typed ?? message.code } }),
    whatsapp: () => ({ method: 'whatsapp', whatsapp: { code: typed ?? message.code } }),
    callout: () => ({ method: 'callout', callout: { code: typed ?? message.code } }),
    flashcall: () => ({ method: 'flashCall', flashCall: { cli: typed ?? message.cli } }),
  };
  return {
    method: 'PUT',
    path: path('verification', 'v1', 'verifications', 'id', message.verificationId),
    body: proofs[message.kind](),
    headers: { authorization: `Application ${key}` },
  };
}

/** Sends a report; the answer is the verification. */
export function send({ method, path: where, body, headers }) {
  return call(method, where, body, { headers });
}

/** Fetches the address of a data verification, over the emulated mobile network. */
export function follow(message) {
  return call('GET', new URL(message.targetUri).pathname);
}
