// The description of the API and of the control interface, for reading offline.

import { curl, get } from '../api.js';
import { offerCalls } from '../calls.js';
import { el } from '../dom.js';
import { facts, source, trouble } from '../widgets.js';

const PATH = '/_emu/openapi.json';

export function reference(root, signal) {
  const filter = el('input', { type: 'search', 'aria-label': 'Filter', placeholder: 'Filter  /', autocomplete: 'off', oninput: sift });
  const list = el('div', { class: 'stack' });
  root.append(el('section', { class: 'wide' },
    el('header', { class: 'list-head' }, el('h1', {}, 'API reference'), el('div', { class: 'filters' }, filter)),
    el('p', { class: 'muted' }, 'The API as clients use it, and the control interface of the emulator. Tools read the same from ', el('a', { href: PATH }, PATH), ' (OpenAPI 3.1).'),
    list));
  offerCalls(signal, ['GET', PATH]);

  function sift() {
    const wanted = filter.value.trim().toLowerCase();
    for (const one of list.querySelectorAll('.operation')) one.hidden = !one.querySelector('summary').textContent.toLowerCase().includes(wanted);
    for (const group of list.children) group.hidden = !group.querySelector('.operation:not([hidden])');
  }

  get(PATH, signal).then(
    ({ paths }) => list.replaceChildren(...groups(paths)),
    (error) => { if (!signal.aborted) list.replaceChildren(trouble(error)); },
  );
  return () => {};
}

/** The operations by their tags, in the order of the document. */
function groups(paths) {
  const byTag = new Map();
  for (const [path, item] of Object.entries(paths)) {
    for (const [verb, operation] of Object.entries(item)) {
      const [tag] = operation.tags;
      byTag.set(tag, [...byTag.get(tag) ?? [], section(verb.toUpperCase(), path, operation)]);
    }
  }
  return [...byTag].map(([tag, sections]) => el('section', {}, el('h2', {}, tag), sections));
}

function section(verb, path, { summary, parameters, requestBody, responses }) {
  const [[kind, body] = []] = Object.entries(requestBody?.content ?? {});
  const example = body?.example && JSON.stringify(body.example);
  return el('details', { class: 'operation' },
    el('summary', {}, el('span', { class: 'verb' }, verb), el('code', {}, path), el('span', { class: 'muted' }, summary)),
    el('div', { class: 'stack' },
      facts([
        ...parameters.map((one) => [one.name, parameter(one)]),
        ['Answers', Object.keys(responses).join(', ')],
        ['Body', kind && (requestBody.required ? kind : `${kind}, or none`)],
      ]),
      example && source('As curl', curl(verb, path, example), 'this call as curl'),
      body && schema('Schema of the body', body.schema),
      ...Object.entries(responses['200']?.content ?? {}).filter(([, answer]) => answer.schema.properties).map(([, answer]) => schema('Schema of the answer', answer.schema))));
}

/** Where a parameter is, and what it can be. */
function parameter({ in: place, required, schema: { type, enum: values, minimum, maximum, examples } }) {
  const range = minimum !== undefined && (maximum === undefined ? `${minimum} or more` : `${minimum} to ${maximum}`);
  return [`in the ${place}`, required && 'required', type, range, values?.join(' or '), examples && `such as ${examples[0]}`].filter(Boolean).join(', ');
}

function schema(title, value) {
  return el('details', {}, el('summary', {}, title), source('JSON Schema', JSON.stringify(value, null, 2), 'the schema'));
}
