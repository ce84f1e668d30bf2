// Tests verify.ts, compiled to the file that the first argument names, with what
// helpd sends (server/webhooks/verify has the same).
import assert from 'node:assert/strict';
import {pathToFileURL} from 'node:url';

const {verifyZendesk, verifyStandard, tolerance} = await import(pathToFileURL(process.argv[2]));
const at = 1772600767;
const body = '{"a":"ü"}';
const headers = {
	'X-Zendesk-Webhook-Signature-Timestamp': '2026-03-04T05:06:07Z',
	'X-Zendesk-Webhook-Signature': 'RGfloqFbvCSEPn1huSAg0mcmfq/ho9PrCGYoPxkRvik=',
	'webhook-id': '01M',
	'webhook-timestamp': String(at),
	'webhook-signature': 'v1,B1XFNr+9xO+HzVguk1HERNDy1yY2oYb9N4EW7QOgfdY= v1,cwyVZqE7a0hff6cEyomNWvCb9MiEMPy4djqm57L45Z0=',
};
for (const verify of [verifyZendesk, verifyStandard]) {
	assert(verify('bmV3', headers, body, at));
	assert(verify('bmV3', new Headers(headers), body, at + tolerance));
	assert(verify('bmV3', headers, Buffer.from(body), at - tolerance));
	assert(!verify('bmV3', headers, body, at + tolerance + 1));
	assert(!verify('bmV3', headers, body, at - tolerance - 1));
	assert(!verify('bmV3', headers, body));
	assert(!verify('b3RoZXI=', headers, body, at));
	assert(!verify('bmV3', headers, body + ' ', at));
	assert(!verify('bmV3', {}, body, at));
}
assert(verifyStandard('b2xk', headers, body, at));
assert(verifyStandard('whsec_bmV3', headers, body, at));
assert(!verifyZendesk('b2xk', headers, body, at));
console.error('verify.ts: all right');
