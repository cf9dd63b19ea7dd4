// What happens in the emulator, as it happens.
//
// Server-sent events over `fetch` rather than `EventSource`: that one keeps the comments to itself
// by which a silent connection is told from a dead one.

import { get } from './api.js';
import { failed } from './widgets.js';

/** Every event by its kind; besides `live` when a connection is there and `lost` when it is not. */
export const feed = new EventTarget();

/** The server sends a comment every 15 s: after so long without a sign the connection is dead. */
const SILENCE_MS = 40_000;
const LONGEST_PAUSE_MS = 2_000;

/** What `/_emu/info` said last; there once `ready` is. */
export let info;

let isReady;
export const ready = new Promise((resolve) => { isReady = resolve; });

/** Also says of which run of the emulator it is: another one answers with a gap. */
let lastId;

/** Follows the feed for as long as the page is open. */
export async function follow() {
  let pause = 100;
  for (;;) {
    try {
      await connect(() => { pause = 100; });
    } catch {
      // It makes no difference how a connection ended.
    }
    emit('lost');
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
  }
}

async function connect(connected) {
  info = await get('/_emu/info');
  isReady();
  const silence = new AbortController();
  const headers = lastId === undefined ? {} : { 'last-event-id': lastId };
  const response = await fetch('/_emu/events', { headers, cache: 'no-store', signal: silence.signal });
  if (!response.ok) throw new Error(response.statusText);
  connected();
  emit('live');
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const timer = setTimeout(() => silence.abort(), SILENCE_MS);
    const { value, done } = await reader.read();
    clearTimeout(timer);
    if (done) return;
    const frames = (text + value).split('\n\n');
    text = frames.pop();
    frames.forEach(tell);
  }
}

function tell(frame) {
  const fields = Object.fromEntries(
    frame.split('\n').map((line) => line.match(/^(\w+): ?(.*)$/)?.slice(1)).filter(Boolean),
  );
  if (fields.id) lastId = fields.id;
  if (fields.event) emit(fields.event, JSON.parse(fields.data));
}

function emit(kind, detail) {
  feed.dispatchEvent(new CustomEvent(kind, { detail }));
}

/** Between two looks at the same thing; a burst of events is one look. */
const REST_MS = 250;

/**
 * Runs `refresh` now, whenever one of `kinds` happens, and after whatever may have been missed. It
 * never runs twice at once. An event that says something else than `about` makes no difference;
 * what goes wrong is for `onError`.
 */
export function live(kinds, signal, refresh, { about = {}, onError = failed } = {}) {
  let running = false;
  let again = false;
  const run = async () => {
    again = true;
    if (running) return;
    running = true;
    while (again && !signal.aborted) {
      again = false;
      try {
        await refresh();
      } catch (error) {
        if (!signal.aborted) onError(error);
      }
      if (again) await new Promise((resolve) => setTimeout(resolve, REST_MS));
    }
    running = false;
  };
  const on = ({ detail }) => {
    if (Object.entries(about).every(([name, value]) => [undefined, value].includes(detail[name]))) run();
  };
  for (const kind of kinds) feed.addEventListener(kind, on, { signal });
  for (const kind of ['live', 'gap', 'reset']) feed.addEventListener(kind, run, { signal });
  run();
  return run;
}
