// The phones with unread messages. Stored in this browser for one run of the emulator, because another run
// numbers its messages from 1 again.

import { info } from './feed.js';

const KEY = 'seen';

function load() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY));
    if (kept && kept.run === info.startedAt) return kept;
  } catch {
    // Not written by this page: start again.
  }
  return { run: info.startedAt, phones: {} };
}

/** Whether message `seq` of `number` is unread. */
export function isUnread(number, seq) {
  return seq > (load().phones[number] ?? 0);
}

/** Marks the messages of `number` up to `seq` as read. Returns whether any was unread. */
export function markRead(number, seq) {
  if (!isUnread(number, seq)) return false;
  const kept = load();
  kept.phones[number] = seq;
  localStorage.setItem(KEY, JSON.stringify(kept));
  return true;
}
