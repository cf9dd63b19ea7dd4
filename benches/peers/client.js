// The official Node client as a user writes it: runs whole SMS flows, as many as each line on standard input
// says, against the service whose address is the first argument.
'use strict';

const http = require('node:http');
const readline = require('node:readline');
const { SinchClient } = require('@sinch/sdk-core');

const [url, applicationKey, applicationSecret] = process.argv.slice(2);
const { verifications } = new SinchClient({ applicationKey, applicationSecret, verificationHostname: url }).verification;

// As many concurrent flows as the other client.
const AT_ONCE = 32;
// The fastest HTTP client of Node, because reading the inbox is not part of the measured client.
const agent = new http.Agent({ keepAlive: true });

function inbox(number) {
  return new Promise((resolve, reject) => {
    const request = http.get(`${url}/_emu/numbers/${number}/messages`, { agent }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => { text += chunk; });
      response.on('end', () => resolve(JSON.parse(text).messages));
    });
    request.on('error', reject);
  });
}

async function flow(number) {
  const identity = { type: 'number', endpoint: number };
  const started = await verifications.startSms({ startVerificationWithSmsRequestBody: { identity } });
  const [message] = await inbox(number);
  const report = { id: started.id, reportSmsVerificationByIdRequestBody: { sms: { code: message.code } } };
  const { status } = await verifications.reportSmsById(report);
  if (status !== 'SUCCESSFUL') {
    throw new Error(`the code did not verify the number: ${status}`);
  }
}

async function flows(count, series, first) {
  let next = first;
  const one = async () => {
    while (next < first + count) {
      const n = next;
      next += 1;
      await flow(`+8613${series}${String(n).padStart(8, '0')}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

async function answer(line) {
  const [what, count, series, first] = line.split(' ');
  if (what !== 'flows') {
    throw new Error(`the official client does not understand ${line}`);
  }
  const begun = process.hrtime.bigint();
  await flows(Number(count), series, Number(first));
  console.log(JSON.stringify({ seconds: Number(process.hrtime.bigint() - begun) / 1e9 }));
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  answer(line).catch((error) => {
    console.error(error);
    process.exit(1);
  });
});
console.log('{}');
