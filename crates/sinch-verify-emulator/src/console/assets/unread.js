// The phones with unread messages: those that came after this browser first opened the page. Stored for one run
// of the emulator, because another run numbers its messages from 1 again.

import { get } from './api.js';
import { feed, info } from './feed.js';

const KEY = 'seen';

/**
 * What was read in this run: all messages up to `since`, and those of each phone up to a number. `begun` once `since`
 * is that of the first visit.
 */
function load() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY));
    if (kept && kept.run === info.startedAt) return kept;
  } catch {
    // Not written by this page: start again.
  }
  return { run: info.startedAt, since: 0, phones: {} };
}

function keep(seen) {
  localStorage.setItem(KEY, JSON.stringify(seen));
}

/** Takes all messages as read that came before the first visit. */
export async function begin() {
  feed.addEventListener('reset', () => localStorage.removeItem(KEY));
  const seen = load();
  if (seen.begun) return;
  try {
    const { phones: [latest] } = await get('/_emu/phones?limit=1');
    keep({ ...seen, begun: true, since: latest?.last.seq ?? 0 });
  } catch {
    // The connection mark shows why. All messages are unread until the next visit.
  }
}

/** Whether message `seq` of `number` is unread. */
export function isUnread(number, seq) {
  const { since, phones } = load();
  return seq > Math.max(since, phones[number] ?? 0);
}

/** Marks the messages of `number` up to `seq` as read. Returns whether any was unread. */
export function markRead(number, seq) {
  if (!isUnread(number, seq)) return false;
  const seen = load();
  seen.phones[number] = seq;
  keep(seen);
  return true;
}
