// Which phones have something that nobody looked at: kept in this browser, for one run of the
// emulator, since another run counts from 1 again.

import { info } from './feed.js';

const KEY = 'seen';

function load() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY));
    if (kept && kept.run === info.startedAt) return kept;
  } catch {
    // Written by something else: begin anew.
  }
  return { run: info.startedAt, phones: {} };
}

/** Whether `seq` came to `number` after the last look. */
export function isUnread(number, seq) {
  return seq > (load().phones[number] ?? 0);
}

/** Somebody looks at it now. Answers whether that is news. */
export function look(number, seq) {
  if (!isUnread(number, seq)) return false;
  const kept = load();
  kept.phones[number] = seq;
  localStorage.setItem(KEY, JSON.stringify(kept));
  return true;
}
