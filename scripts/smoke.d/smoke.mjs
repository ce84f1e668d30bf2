// Calls helpd through node-zendesk, in the ways in which programs use it, and
// checks what comes back. See scripts/smoke for how it is started.
import assert from 'node:assert/strict';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

const {createClient} = createRequire(process.argv[2] + '/')('node-zendesk');
const endpointUri = process.env.HELPD_URL.replace(/\/$/, '') + '/api/v2';
const as = (username, token = process.env.HELPD_ADMIN_TOKEN) => createClient({endpointUri, username, token});
const client = as(process.env.HELPD_ADMIN_EMAIL);

// Apart from whatever else is in the account.
const run = `smoke-${Date.now()}`;
const address = (local) => `${local}.${run}@example.com`;
const made = {tickets: [], users: [], organizations: []};

const steps = [];
const step = (name, f) => steps.push([name, f]);

/** The error that p must end with; its text has the parts. */
async function refused(p, ...parts) {
	const error = await p.then(
		() => assert.fail('was not refused'),
		(error_) => error_,
	);
	for (const part of parts) {
		assert.match(error.message, part);
	}
}

/** The results of a bulk job, once it has ended. */
async function ended(job) {
	assert.match(job.id, /^V3-[\da-f]{32}$/);
	const {status, results, total} = await client.jobstatuses.watch(job.id, 100, 3);
	assert.equal(status, 'completed');
	assert.equal(results.length, total);
	return results;
}

step('says who is calling', async () => {
	const {result} = await client.users.me();
	assert.equal(result.email, process.env.HELPD_ADMIN_EMAIL);
	assert.equal(result.role, 'admin');
	made.me = result.id;
	await refused(as(process.env.HELPD_ADMIN_EMAIL, 'wrong').tickets.list(), /401/);
});

step('creates, finds and changes users', async () => {
	const {result: bo} = await client.users.create({user: {name: 'Bo', email: address('bo')}});
	assert.equal(bo.role, 'end-user');
	made.users.push(bo.id);
	const {result: again} = await client.users.createOrUpdate({user: {name: 'Bo Burns', email: address('bo'), external_id: run}});
	assert.equal(again.id, bo.id);
	const found = await client.users.search({query: address('bo')});
	assert.deepEqual(found.map((u) => [u.id, u.name]), [[bo.id, 'Bo Burns']]);
	assert.deepEqual((await client.users.search({external_id: run})).map((u) => u.id), [bo.id]);
	const {result: changed} = await client.users.update(bo.id, {user: {details: 'Über uns 🔥', tags: ['vip']}});
	assert.equal(changed.details, 'Über uns 🔥');
	assert.deepEqual(changed.tags, ['vip']);
	await refused(client.users.create({user: {name: 'Twin', email: address('bo')}}), /422/);
});

step('makes an organization and puts its people there', async () => {
	const {result: org} = await client.organizations.create({organization: {name: `Org ${run}`, domain_names: [`${run}.example`]}});
	made.organizations.push(org.id);
	const {result: ann} = await client.users.create({user: {name: 'Ann', email: `ann@${run}.example`}});
	made.users.push(ann.id);
	assert.equal(ann.organization_id, org.id);
	assert.deepEqual((await client.users.listByOrganization(org.id)).map((u) => u.id), [ann.id]);
	const {result: changed} = await client.organizations.update(org.id, {organization: {notes: 'n'}});
	assert.equal(changed.notes, 'n');
	assert.deepEqual((await client.organizations.autocomplete({name: `Org ${run}`})).map((o) => o.id), [org.id]);
});

step('creates a ticket with its requester', async () => {
	const {result, response} = await client.tickets.create({
		ticket: {
			subject: 'My printer is on fire!', comment: {body: 'The smoke is very colorful.'}, priority: 'urgent', external_id: run,
			requester: {name: 'Cy', email: address('cy')}, tags: ['hot'],
		},
	});
	assert.equal(response.status, 201);
	assert.equal(result.status, 'new');
	assert.equal(result.description, 'The smoke is very colorful.');
	made.ticket = result.id;
	made.tickets.push(result.id);
	made.users.push(result.requester_id);
	const [cy] = await client.users.search({query: address('cy')});
	assert.equal(cy.id, result.requester_id);
	assert.deepEqual((await client.tickets.listWithFilter('external_id', run)).map((t) => t.id), [result.id]);
	await refused(client.tickets.create({ticket: {subject: 'no text'}}), /422/);
});

step('updates and comments', async () => {
	const {result} = await client.tickets.update(made.ticket, {
		ticket: {status: 'open', assignee_id: made.me, comment: {body: 'Have you tried water?', public: false}},
	});
	assert.equal(result.status, 'open');
	assert.equal(result.assignee_id, made.me);
	const comments = await client.tickets.getComments(made.ticket);
	assert.deepEqual(comments.map((c) => [c.body, c.public]), [['The smoke is very colorful.', true], ['Have you tried water?', false]]);
	const audits = await client.tickets.exportAudit(made.ticket);
	assert.equal(audits.length, 2);
	assert.ok(audits[1].events.some((e) => e.type === 'Change' && e.field_name === 'status' && e.value === 'open'));
	await refused(client.tickets.update(made.ticket, {ticket: {status: 'strange'}}), /422/);
	await refused(client.tickets.show(9_223_372_036_854_775_000n), /404/);
});

step('shows a ticket with what is side-loaded', async () => {
	const loading = as(process.env.HELPD_ADMIN_EMAIL);
	loading.tickets.setSideLoad(['users']);
	const {result} = await loading.tickets.show(made.ticket);
	assert.equal(result.requester.name, 'Cy');
	assert.equal(result.assignee.id, made.me);
});

step('uploads a file and attaches it', async () => {
	const directory = await mkdtemp(join(tmpdir(), 'smoke-'));
	try {
		const text = 'line of log\n'.repeat(1000);
		await writeFile(join(directory, 'helpd.log'), text);
		const {upload} = await client.attachments.upload(join(directory, 'helpd.log'), {filename: 'helpd log.txt'});
		assert.equal(upload.attachment.size, text.length);
		await client.attachments.upload(join(directory, 'helpd.log'), {filename: 'second.txt', token: upload.token});
		await client.tickets.update(made.ticket, {ticket: {comment: {body: 'See the logs', uploads: [upload.token]}}});
		const {attachments} = (await client.tickets.getComments(made.ticket)).at(-1);
		assert.deepEqual(attachments.map((a) => a.file_name), ['helpd log.txt', 'second.txt']);
		const {result} = await client.attachments.show(attachments[0].id);
		assert.equal(result.attachment.file_name, 'helpd log.txt');
		const file = await fetch(attachments[0].content_url);
		assert.equal(await file.text(), text);
	} finally {
		await rm(directory, {recursive: true});
	}
});

step('sets, adds and lists tags', async () => {
	assert.deepEqual((await client.tickets.updateTags(made.ticket, {tags: [run, 'b']})).map((r) => r.tags ?? r).flat(), [run, 'b']);
	await client.tickets.addTags(made.ticket, {tags: ['c']});
	const {result} = await client.tickets.show(made.ticket);
	assert.deepEqual(result.tags.toSorted(), ['b', 'c', run]);
	assert.equal((await client.tags.list()).find((t) => t.name === run).count, 1);
});

step('creates many in a job, and lists over several pages', async () => {
	const [requester] = made.users;
	const tickets = (n) => Array.from({length: n}, (_, i) => ({subject: `${run} ${i}`, description: `Number ${i}`, requester_id: requester}));
	for (const n of [100, 100, 30]) {
		const {result} = await client.tickets.createMany({tickets: tickets(n)});
		const results = await ended(result.job_status);
		assert.ok(results.every((r, i) => r.index === i && r.id > made.ticket));
		made.tickets.push(...results.map((r) => r.id));
	}
	const all = await client.tickets.listByUserRequested(requester);
	assert.deepEqual(all.map((t) => t.id), made.tickets.slice(1));
	const listed = await client.tickets.list();
	assert.equal(new Set(listed.map((t) => t.id)).size, listed.length);
	assert.ok(made.tickets.every((id) => listed.some((t) => t.id === id)));
	await refused(client.tickets.createMany({tickets: tickets(101)}), /400/);
});

step('changes many in a job', async () => {
	const ids = made.tickets.slice(1, 51);
	const {result} = await client.tickets.updateMany(ids, {ticket: {priority: 'low', additional_tags: ['bulk']}});
	const results = await ended(result.job_status);
	assert.ok(results.every((r) => r.success && r.status === 'Updated'));
	const {result: shown} = await client.tickets.showMany(ids);
	assert.equal(shown.length, 50);
	assert.ok(shown.every((t) => t.priority === 'low' && t.tags.includes('bulk')));
});

step('imports a ticket with its past', async () => {
	const {result} = await client.ticketimport.import({
		ticket: {
			subject: 'Old', status: 'closed', requester_id: made.users[0], created_at: '2019-03-01T10:00:00Z', solved_at: '2019-03-02T10:00:00Z',
			comments: [
				{author_id: made.users[0], value: 'It broke.', created_at: '2019-03-01T10:00:00Z'},
				{author_id: made.me, value: 'It is mended.', created_at: '2019-03-02T10:00:00Z'},
			],
		},
	});
	const ticket = result.ticket ?? result;
	made.tickets.push(ticket.id);
	assert.deepEqual([ticket.status, ticket.created_at], ['closed', '2019-03-01T10:00:00Z']);
	assert.deepEqual((await client.tickets.getComments(ticket.id)).map((c) => c.created_at), ['2019-03-01T10:00:00Z', '2019-03-02T10:00:00Z']);
	await refused(client.tickets.update(ticket.id, {ticket: {status: 'open'}}), /422/);
});

step('deletes what it made', async () => {
	const [first, ...others] = made.tickets;
	const {response} = await client.tickets.delete(first);
	assert.equal(response.status, 204);
	await refused(client.tickets.show(first), /404/);
	while (others.length > 0) {
		const {result} = await client.tickets.deleteMany(others.splice(0, 100));
		const results = await ended(result.job_status);
		assert.ok(results.every((r) => r.success));
	}
	for (const id of made.users) {
		const {result} = await client.users.delete(id);
		assert.equal(result.active, false);
	}
	for (const id of made.organizations) {
		assert.equal((await client.organizations.delete(id)).response.status, 204);
	}
});

for (const [name, f] of steps) {
	const start = Date.now();
	try {
		await f();
	} catch (error) {
		console.error(`node-zendesk ${name}: FAILED\n`, error);
		process.exit(1);
	}
	console.error(`node-zendesk ${name} (${Date.now() - start} ms)`);
}
