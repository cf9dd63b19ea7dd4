// Calls of the control interface, and of the API as a device without a secret uses it.

/** An error answer. `field` is the wrong field of the body, if there is one, and `problem` what is wrong with it. */
export class Failure extends Error {
  constructor(status, message, field) {
    super(field ? message : `${status}: ${message}`);
    this.status = status;
    this.field = field?.split('.').at(-1);
    this.problem = field && message.replace(`${field}: `, '');
  }
}

/** Dispatches a `call` event for every call that changes something. */
export const calls = new EventTarget();

/** Makes a GET call. */
export function get(path, signal) {
  return call('GET', path, undefined, { signal });
}

/** Makes a call. Returns the JSON of the answer, or undefined if it has none. */
export async function call(method, path, body, { signal, headers = {} } = {}) {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const began = performance.now();
  let response;
  try {
    response = await fetch(path, {
      method,
      body: text,
      headers: text === undefined ? headers : { 'content-type': 'application/json', ...headers },
      cache: 'no-store',
      signal,
    });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Error('the emulator does not answer; check that it is running', { cause: error });
  }
  const answer = read(await response.text());
  if (method !== 'GET') {
    const detail = { method, path, text, headers, status: response.status, ms: performance.now() - began };
    calls.dispatchEvent(new CustomEvent('call', { detail }));
  }
  if (response.ok) return answer;
  const why = answer?.error ?? answer?.message ?? response.statusText;
  throw new Failure(response.status, why, answer?.field);
}

function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The call as a `curl` command. */
export function curl(method, path, body, headers = {}) {
  const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
  const parts = ['curl'];
  if (method !== (body === undefined ? 'GET' : 'POST')) parts.push('-X', method);
  parts.push(quoted(location.origin + path));
  for (const [name, value] of Object.entries(headers)) parts.push('-H', quoted(`${name}: ${value}`));
  if (body !== undefined) parts.push('-H', quoted('content-type: application/json'), '--data', quoted(body));
  return parts.join(' ');
}

/** A path of escaped segments. The `+` of a number is not escaped. */
export function path(...segments) {
  return `/${segments.map((segment) => encodeURIComponent(segment).replaceAll('%2B', '+')).join('/')}`;
}

/** The address of a view of this page. */
export function place(...segments) {
  return `#${path(...segments)}`;
}

/** A path with the parameters that have a value. */
export function withQuery(base, parameters) {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== '');
  return given.length ? `${base}?${new URLSearchParams(given)}` : base;
}
