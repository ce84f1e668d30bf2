// Tells receivers of webhooks whether a request comes from helpd. It needs the
// webhook's signing secret, as GET /api/v2/webhooks/{id}/signing_secret shows it,
// the request's headers and its body, byte for byte as it came. It needs nothing
// but Node (or Bun, or Deno): copy it.
import {createHmac, timingSafeEqual} from 'node:crypto';

/** Headers as Node, Express and fetch have them. */
export type Headers = {get(name: string): string | null} | Record<string, string | string[] | undefined>;

/** How old a request may be, and how far ahead of this clock, in seconds. */
export const tolerance = 5 * 60;

/**
 * Checks X-Zendesk-Webhook-Signature: the base64 of the HMAC with SHA-256 of the
 * timestamp followed by the body. The key is the text of the secret.
 */
export function verifyZendesk(secret: string, headers: Headers, body: string | Uint8Array, now: number = Date.now() / 1000): boolean {
	const at = header(headers, 'x-zendesk-webhook-signature-timestamp');
	const signature = header(headers, 'x-zendesk-webhook-signature');
	return inTime(Date.parse(at) / 1000, now) && same(signature, sign(Buffer.from(secret), at, body));
}

/**
 * Checks webhook-signature (https://www.standardwebhooks.com), of which one of
 * several is enough: after the secret was rotated the one before is good for another
 * day. The key is what the secret decodes to.
 */
export function verifyStandard(secret: string, headers: Headers, body: string | Uint8Array, now: number = Date.now() / 1000): boolean {
	const id = header(headers, 'webhook-id');
	const at = header(headers, 'webhook-timestamp');
	const want = 'v1,' + sign(Buffer.from(secret.replace(/^whsec_/, ''), 'base64'), `${id}.${at}.`, body);
	const signatures = header(headers, 'webhook-signature').split(' ');
	return id !== '' && /^\d+$/.test(at) && inTime(Number(at), now) && signatures.some((s) => same(s, want));
}

function header(headers: Headers, name: string): string {
	if (typeof headers.get === 'function') {
		return (headers as {get(name: string): string | null}).get(name) ?? '';
	}
	const all = headers as Record<string, string | string[] | undefined>;
	const key = Object.keys(all).find((k) => k.toLowerCase() === name);
	const value = key === undefined ? undefined : all[key];
	return (Array.isArray(value) ? value[0] : value) ?? '';
}

function sign(key: Uint8Array, before: string, body: string | Uint8Array): string {
	return createHmac('sha256', key).update(before).update(body).digest('base64');
}

// False for what is no time, NaN.
function inTime(sent: number, now: number): boolean {
	return Math.abs(sent - now) <= tolerance;
}

function same(a: string, b: string): boolean {
	const x = Buffer.from(a);
	const y = Buffer.from(b);
	return x.length === y.length && timingSafeEqual(x, y);
}
