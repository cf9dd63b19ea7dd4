// Follows the feed of the emulator.
//
// Reads server-sent events with `fetch`, because `EventSource` hides the comments that show whether a silent
// connection still works.

import { get } from './api.js';
import { failed } from './widgets.js';

/**
 * Dispatches every event by its kind, `live` when connected, `lost` when disconnected, and `applications` when there
 * is a new one.
 */
export const feed = new EventTarget();

/** The server sends a comment every 15 s. After this silence the connection counts as lost. */
const SILENCE_MS = 40_000;
const LONGEST_PAUSE_MS = 2_000;

/** The latest answer of `/_emu/info`; set once `ready` resolves. */
export let info;

let isReady;
export const ready = new Promise((resolve) => { isReady = resolve; });

/** The id of the latest event. It names the run of the emulator; another run answers with a gap. */
let lastId;

/** Follows the feed while the page is open. */
export async function follow() {
  let pause = 100;
  for (;;) {
    try {
      await connect(() => { pause = 100; });
    } catch {
      // Reconnects after any end of a connection.
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
    for (const frame of frames) await dispatch(frame);
  }
}

async function dispatch(frame) {
  const fields = Object.fromEntries(
    frame.split('\n').map((line) => line.match(/^(\w+): ?(.*)$/)?.slice(1)).filter(Boolean),
  );
  if (fields.id) lastId = fields.id;
  if (!fields.event) return;
  const data = JSON.parse(fields.data);
  if (data.application && !info.applications.some(({ key }) => key === data.application)) {
    info = await get('/_emu/info');
    emit('applications');
  }
  emit(fields.event, data);
}

function emit(kind, detail) {
  feed.dispatchEvent(new CustomEvent(kind, { detail }));
}

/** The shortest time between two refreshes, so that a burst of events causes one. */
const REST_MS = 250;

/**
 * Runs `refresh` now, on every event of `kinds`, and after a reconnection. It never runs twice at once. Events
 * whose fields differ from `about` are ignored. `onError` gets the errors.
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
