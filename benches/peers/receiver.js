// A receiver of callbacks as a user of the official SDK writes it, on Express.
'use strict';

const express = require('express');
const { VerificationCallbackWebhooks } = require('@sinch/verification');

const [applicationKey, applicationSecret] = process.argv.slice(2);
const webhooks = new VerificationCallbackWebhooks({ applicationKey, applicationSecret });
const app = express();

// The signature covers the raw body.
app.use(express.raw({ type: 'application/json', limit: '64kb' }));

app.post('/sinch/callback', (request, response) => {
  const body = request.body.toString('utf8');
  if (!webhooks.validateAuthenticationHeader(request.headers, body, request.path, request.method)) {
    return response.status(401).json({ error: 'not authorized' });
  }
  const event = webhooks.parseEvent(body);
  if (event.event === 'VerificationRequestEvent') {
    return response.json({ action: 'allow' });
  }
  return response.end();
});

const server = app.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ port: server.address().port }));
});
// The parent process stops this program by closing its input.
process.stdin.resume().on('end', () => process.exit(0));
