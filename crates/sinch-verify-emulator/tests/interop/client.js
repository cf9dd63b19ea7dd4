// The official Node client, unmodified, against the emulator whose address is the first argument.
//
// It prints the address of its callback server, waits for a line on standard input, does everything
// the client has a method for, and ends with 0 when all of it went as documented.
'use strict';

const assert = require('node:assert/strict');
const http = require('node:http');
const readline = require('node:readline');
const { SinchClient } = require('@sinch/sdk-core');
const { VerificationCallbackWebhooks, VerificationService } = require('@sinch/verification');

const [url, applicationKey, applicationSecret] = process.argv.slice(2);
const PATH = '/sinch/callback';
const number = '+46700000042';
const identity = { type: 'number', endpoint: number };

// Every event that came, by verification.
const events = new Map();
const validator = new VerificationCallbackWebhooks({ applicationKey, applicationSecret });

const server = http.createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks).toString('utf8');
    const valid = validator.validateAuthenticationHeader(request.headers, body, request.url, request.method);
    const forged = validator.validateAuthenticationHeader(request.headers, `${body} `, request.url, request.method);
    const event = validator.parseEvent(body);
    const known = events.get(event.id) ?? [];
    known.push({ name: event.event, status: event.status, valid, forged });
    events.set(event.id, known);
    const asked = event.event === 'VerificationRequestEvent';
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(asked ? JSON.stringify({ action: 'allow' }) : '');
  });
});

// What the client calls each method, in starts, in reports, and on the wire.
const methods = [
  { wire: 'sms', start: 'startSms', body: 'startVerificationWithSmsRequestBody', report: 'Sms', proof: (m) => ({ sms: { code: m.code } }) },
  { wire: 'flashcall', start: 'startFlashCall', body: 'startVerificationWithFlashCallRequestBody', report: 'FlashCall', proof: (m) => ({ flashCall: { cli: m.cli } }) },
  { wire: 'callout', start: 'startPhoneCall', body: 'startVerificationWithPhoneCallRequestBody', report: 'PhoneCall', proof: (m) => ({ phoneCall: { code: m.code } }) },
  { wire: 'callout', start: 'startCallout', body: 'startVerificationWithCalloutRequestBody', report: 'Callout', proof: (m) => ({ callout: { code: m.code } }) },
  { wire: 'whatsapp', start: 'startWhatsApp', body: 'startVerificationWithWhatsAppRequestBody', report: 'WhatsApp', proof: (m) => ({ whatsapp: { code: m.code } }) },
  { wire: 'seamless', start: 'startData', body: 'startDataVerificationRequestBody' },
  { wire: 'seamless', start: 'startSeamless', body: 'startSeamlessVerificationRequestBody' },
];

async function newest() {
  const answer = await fetch(`${url}/_emu/numbers/${encodeURIComponent(number)}/messages`);
  return (await answer.json()).messages[0];
}

async function verify(service, method, by, place) {
  const name = `${method.start}, then ${by}`;
  const reference = `interop-${place}-${method.start}-${by}`;
  const started = await service.verifications[method.start]({ [method.body]: { identity, reference, custom: name } });
  assert.equal(started.method, method.wire, name);
  assert.deepEqual(started._links.map((link) => link.rel), ['status', 'report'], name);
  const message = await newest();
  assert.equal(message.verificationId, started.id, name);
  if (method.report) {
    const key = `report${method.report}VerificationBy${by}RequestBody`;
    const target = by === 'Id' ? { id: started.id } : { endpoint: number };
    const report = await service.verifications[`report${method.report}By${by}`]({ ...target, [key]: method.proof(message) });
    assert.equal(report.status, 'SUCCESSFUL', name);
    assert.equal(report.id, started.id, name);
  } else {
    assert.equal(started.seamless.targetUri, message.targetUri, name);
    const fetched = await fetch(started.seamless.targetUri);
    assert.equal((await fetched.json()).status, 'SUCCESSFUL', name);
  }
  const queries = [
    ['getById', { id: started.id }],
    ['getByIdentity', { endpoint: number, method: method.wire }],
    ['getByReference', { reference }],
  ];
  for (const [query, data] of queries) {
    const status = await service.verificationStatus[query](data);
    assert.equal(status.id, started.id, `${name}, ${query}`);
    assert.equal(status.status, 'SUCCESSFUL', `${name}, ${query}`);
    assert.equal(status.method, method.wire, `${name}, ${query}`);
    assert.equal(status.reference, reference, `${name}, ${query}`);
    assert.equal(status.identity.endpoint, number, `${name}, ${query}`);
  }
  return { id: started.id, wire: method.wire };
}

// What the client makes of refusals.
async function refusals(service) {
  const started = await service.verifications.startSms({ startVerificationWithSmsRequestBody: { identity, smsOptions: { codeType: 'Alphanumeric', locale: 'sv-SE' } } });
  assert.equal(started.sms.codeType, 'Alphanumeric');
  assert.match((await newest()).text, /verifieringskod/, 'the locale went into Accept-Language');
  const wrong = { id: started.id, reportSmsVerificationByIdRequestBody: { sms: { code: 'wrong' } } };
  await assert.rejects(service.verifications.reportSmsById(wrong), (error) => error.statusCode === 400 && /40003/.test(error.data));
  await assert.rejects(service.verificationStatus.getById({ id: 'unknown' }), (error) => error.statusCode === 404);
  const stranger = new VerificationService({ applicationKey, applicationSecret: 'AAAAAAAAAAAAAAAAAAAAAA==', verificationHostname: url });
  await assert.rejects(stranger.verificationStatus.getById({ id: started.id }), (error) => error.statusCode === 401);
}

async function settled(verifications) {
  const told = () => verifications.every(({ id }) => events.get(id)?.some((event) => event.status === 'SUCCESSFUL'));
  for (let waited = 0; waited < 200 && !told(); waited += 1) {
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

async function main() {
  const direct = new VerificationService({ applicationKey, applicationSecret, verificationHostname: url });
  const whole = new SinchClient({ applicationKey, applicationSecret, verificationHostname: url }).verification;
  const verifications = [];
  for (const [place, service] of [['direct', direct], ['whole', whole]]) {
    for (const method of methods) {
      for (const by of method.report ? ['Id', 'Identity'] : ['Id']) {
        verifications.push(await verify(service, method, by, place));
      }
    }
    await refusals(service);
  }
  await settled(verifications);
  for (const { id, wire } of verifications) {
    const got = events.get(id) ?? [];
    const names = got.map((event) => event.name);
    assert.equal(names[0], 'VerificationRequestEvent', `first event of ${wire}`);
    assert.equal(names.filter((name) => name === 'VerificationResultEvent').length, 1, `result events of ${wire}`);
    assert.equal(names.includes('VerificationSmsDeliveredEvent'), wire === 'sms', `delivered event of ${wire}`);
    for (const event of got) {
      assert.equal(event.valid, true, `${event.name} of ${wire} is accepted`);
      assert.equal(event.forged, false, `a changed ${event.name} is not`);
    }
  }
  console.log(JSON.stringify({ verified: verifications.length, events: [...events.values()].flat().length }));
}

server.listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}${PATH}`);
  readline.createInterface({ input: process.stdin }).once('line', () => {
    main().then(
      () => process.exit(0),
      (error) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
});
