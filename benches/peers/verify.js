// The official validator: checks callbacks of a file, as many as each line on standard input says.
'use strict';

const fs = require('node:fs');
const readline = require('node:readline');
const { VerificationCallbackWebhooks } = require('@sinch/verification');

const [file, applicationKey, applicationSecret] = process.argv.slice(2);
const webhooks = new VerificationCallbackWebhooks({ applicationKey, applicationSecret });
const callbacks = JSON.parse(fs.readFileSync(file, 'utf8')).map(({ method, path, headers, body }) => (
  { method, path, headers: Object.fromEntries(headers), body }
));

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const count = Number(line.split(' ')[1]);
  const begun = process.hrtime.bigint();
  for (let n = 0; n < count; n += 1) {
    const { method, path, headers, body } = callbacks[n % callbacks.length];
    if (!webhooks.validateAuthenticationHeader(headers, body, path, method)) {
      throw new Error('the official validator refused a good callback');
    }
  }
  console.log(JSON.stringify({ seconds: Number(process.hrtime.bigint() - begun) / 1e9 }));
});
