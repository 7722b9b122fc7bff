// @kubernetes/client-node against one member: typed calls, watches, informers, patches, an election over a Lease.
// usage: clients_node.mjs NODE_MODULES; the member is KUBECONFIG's, and forgets its history in seconds
import assert from 'node:assert/strict';
import https from 'node:https';
import net from 'node:net';
import { pathToFileURL } from 'node:url';

const k8s = await import(pathToFileURL(`${process.argv[2]}/@kubernetes/client-node/dist/index.js`));
const { equal, deepEqual, ok } = assert;
const namespace = 'clients-node';
const WAIT_MS = 20000;

const kc = new k8s.KubeConfig();
kc.loadFromDefault();
const core = kc.makeApiClient(k8s.CoreV1Api);
const apps = kc.makeApiClient(k8s.AppsV1Api);
const coordination = kc.makeApiClient(k8s.CoordinationV1Api);
const events = kc.makeApiClient(k8s.EventsV1Api);
const discovery = kc.makeApiClient(k8s.DiscoveryV1Api);
const objects = k8s.KubernetesObjectApi.makeApiClient(kc);

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Until the condition gives something true, which is returned.
async function waitFor(what, condition) {
    const end = Date.now() + WAIT_MS;
    while (Date.now() < end) {
        const got = await condition();
        if (got) return got;
        await pause(25);
    }
    throw new Error(`waited ${WAIT_MS} ms in vain for ${what}`);
}

// The call fails with a Status of that code and reason, which is returned.
async function refused(code, reason, call) {
    const error = await call.then(() => null, (e) => e);
    ok(error instanceof k8s.ApiException, `not refused with ${code} ${reason} but ${error}`);
    const status = typeof error.body === 'string' ? JSON.parse(error.body) : error.body;
    deepEqual([error.code, status.kind, status.status, status.code, status.reason],
        [code, 'Status', 'Failure', code, reason]);
    ok(status.message);
    return status;
}

// Reads, changes and writes until no controller was faster.
function update(what, read, write) {
    return waitFor(what, async () => write(await read()).catch((e) => {
        if (e.code !== 409) throw e;
    }));
}

const names = (list) => list.items.map((i) => i.metadata.name);
const configMap = (name, labels) => ({ metadata: { name, labels }, data: { k: 'v' } });
const podSpec = {
    containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '10m', memory: '8Mi' } } }],
};
const pod = (name) => ({ metadata: { name }, spec: podSpec });
const template = { metadata: { labels: { a: 'b' } }, spec: podSpec };
const deployment = (name, replicas) => ({
    metadata: { name },
    spec: {
        replicas,
        selector: { matchLabels: { app: name } },
        template: { metadata: { labels: { app: name } }, spec: podSpec },
    },
});

async function checkDiscovery() {
    equal((await kc.makeApiClient(k8s.VersionApi).getCode()).minor, '35');
    ok((await kc.makeApiClient(k8s.CoreApi).getAPIVersions()).versions.includes('v1'));
    const { groups } = await kc.makeApiClient(k8s.ApisApi).getAPIVersions();
    equal(groups.find((g) => g.name === 'apps').preferredVersion.groupVersion, 'apps/v1');
    for (const api of [core, apps, coordination, events, discovery]) {
        ok((await api.getAPIResources()).resources.length > 0);
    }
    const { resources } = await apps.getAPIResources();
    const found = resources.find((r) => r.name === 'deployments');
    deepEqual([found.kind, found.namespaced, found.shortNames], ['Deployment', true, ['deploy']]);
    ok(resources.some((r) => r.name === 'deployments/scale'));
    equal(await new k8s.Health(kc).readyz({}), true);
}

async function checkOpenApi() {
    const options = { agent: false };
    await kc.applyToHTTPSOptions(options);
    const get = (path) => new Promise((resolve, reject) => {
        https.get(new URL(path, kc.getCurrentCluster().server), options, async (answer) => {
            let text = '';
            for await (const chunk of answer) text += chunk;
            resolve(JSON.parse(text));
        }).on('error', reject);
    });
    const { paths } = await get('/openapi/v3');
    const document = await get(paths['apis/apps/v1'].serverRelativeURL);
    ok(document.components.schemas['io.k8s.api.apps.v1.Deployment']);
    ok(document.paths['/apis/apps/v1/namespaces/{namespace}/deployments'].get);
}

// What is made in a namespace, by the name its calls have.
function typedObjects() {
    const metadata = { name: 'o' };
    const reference = { apiVersion: 'v1', kind: 'Pod', namespace, name: 'p', uid: 'u' };
    const now = new k8s.V1MicroTime('2026-01-02T03:04:05.006Z');
    return [
        [core, 'ConfigMap', configMap('o')],
        [core, 'Secret', { metadata, stringData: { k: 'v' } }],
        [core, 'Service', { metadata, spec: { selector: { a: 'b' }, ports: [{ port: 80, targetPort: 'http' }] } }],
        [core, 'ServiceAccount', { metadata }],
        [core, 'Endpoints', { metadata, subsets: [{ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 80 }] }] }],
        [core, 'LimitRange', { metadata, spec: { limits: [{ type: 'Container', max: { cpu: '1' } }] } }],
        [core, 'ResourceQuota', { metadata, spec: { hard: { pods: '10' } } }],
        [core, 'PodTemplate', { metadata, template }],
        [core, 'ReplicationController', { metadata, spec: { replicas: 1, selector: { a: 'b' }, template } }],
        [core, 'Pod', pod('o')],
        [core, 'Event', { metadata, involvedObject: reference, reason: 'Seen', message: 'm', type: 'Normal', count: 1,
            firstTimestamp: new Date(now), source: { component: 'test' } }],
        [events, 'Event', { metadata: { name: 'o2' }, regarding: reference, reason: 'Seen', action: 'Look', note: 'n',
            type: 'Normal', eventTime: now, reportingController: 'example.com/t', reportingInstance: 't-1' }],
        [apps, 'Deployment', deployment('o', 1)],
        [apps, 'ReplicaSet', { metadata, spec: { replicas: 0, selector: { matchLabels: { a: 'b' } }, template } }],
        [apps, 'ControllerRevision', { metadata, revision: 3, data: { a: 1 } }],
        [coordination, 'Lease', { metadata, spec: { holderIdentity: 'me', leaseDurationSeconds: 15, renewTime: now } }],
        [discovery, 'EndpointSlice', { metadata, addressType: 'IPv4', endpoints: [{ addresses: ['10.0.0.1'] }],
            ports: [{ port: 80 }] }],
    ];
}

// Create, read, list, replace, patch and delete of every kind.
async function checkTypedKinds() {
    for (const [api, kind, body] of typedObjects()) {
        const one = { namespace, name: body.metadata.name };
        try {
            const made = await api[`createNamespaced${kind}`]({ namespace, body });
            ok(made.metadata.creationTimestamp instanceof Date);
            const current = await api[`readNamespaced${kind}`](one);
            equal(current.metadata.uid, made.metadata.uid);
            ok(names(await api[`listNamespaced${kind}`]({ namespace })).includes(one.name));
            const fieldSelector = `metadata.namespace=${namespace},metadata.name=${one.name}`;
            deepEqual(names(await api[`list${kind}ForAllNamespaces`]({ fieldSelector })), [one.name]);
            await update(`a replaced ${kind}`, () => api[`readNamespaced${kind}`](one), (body) => {
                body.metadata.annotations = { replaced: 'yes' };
                return api[`replaceNamespaced${kind}`]({ ...one, body });
            });
            equal((await api[`readNamespaced${kind}`](one)).metadata.annotations.replaced, 'yes');
            const add = [{ op: 'add', path: '/metadata/labels', value: { patched: 'yes' } }];
            equal((await api[`patchNamespaced${kind}`]({ ...one, body: add })).metadata.labels.patched, 'yes');
            const propagationPolicy = 'Background';
            await api[`deleteNamespaced${kind}`]({ ...one, gracePeriodSeconds: 0, propagationPolicy });
            await refused(404, 'NotFound', api[`readNamespaced${kind}`](one));
        } catch (e) {
            throw new Error(`${kind}: ${e.message}`, { cause: e });
        }
    }
}

// What comes back has the client's types: times, base64, quantities, numbers or names.
async function checkValues() {
    const secret = await core.createNamespacedSecret({ namespace, body: { metadata: { name: 'v' }, data: { k: 'AAEC' } } });
    deepEqual([secret.data.k, secret.type], ['AAEC', 'Opaque']);
    const ports = [{ name: 'n', port: 1, targetPort: 'web' }, { name: 'm', port: 2, targetPort: 8 }];
    const service = await core.createNamespacedService({ namespace, body: { metadata: { name: 'v' }, spec: { ports } } });
    deepEqual(service.spec.ports.map((p) => p.targetPort), ['web', 8]);
    const got = await core.createNamespacedPod({ namespace, body: pod('v') });
    deepEqual({ ...got.spec.containers[0].resources.requests }, { cpu: '10m', memory: '8Mi' });
    deepEqual([got.status.phase, got.spec.restartPolicy, got.status.qosClass], ['Pending', 'Always', 'Burstable']);
    const renewTime = new k8s.V1MicroTime('2026-01-02T03:04:05.006Z');
    const lease = await coordination.createNamespacedLease({ namespace, body: { metadata: { name: 'v' }, spec: { renewTime } } });
    equal(new Date(lease.spec.renewTime).getTime(), renewTime.getTime());
}

async function checkPaging() {
    for (let i = 0; i < 7; i++) await core.createNamespacedConfigMap({ namespace, body: configMap(`page-${i}`, { set: 'pages' }) });
    const got = [];
    let _continue;
    let pages = 0;
    do {
        const page = await core.listNamespacedConfigMap({ namespace, labelSelector: 'set=pages', limit: 3, _continue });
        got.push(...names(page));
        _continue = page.metadata._continue;
        // A page is of the first one's revision.
        if (pages++ === 0) await core.deleteNamespacedConfigMap({ namespace, name: 'page-6' });
    } while (_continue);
    deepEqual(got, [0, 1, 2, 3, 4, 5, 6].map((i) => `page-${i}`));
    equal(pages, 3);
    await core.deleteCollectionNamespacedConfigMap({ namespace, labelSelector: 'set in (pages)' });
    deepEqual((await core.listNamespacedConfigMap({ namespace, labelSelector: 'set' })).items, []);
}

async function checkWatch() {
    const { metadata: { resourceVersion } } = await core.listNamespacedConfigMap({ namespace });
    await core.createNamespacedConfigMap({ namespace, body: configMap('watched') });
    await core.patchNamespacedConfigMap({ namespace, name: 'watched', body: [{ op: 'replace', path: '/data/k', value: 'w' }] });
    await core.deleteNamespacedConfigMap({ namespace, name: 'watched' });
    const got = [];
    await new Promise((resolve, reject) => {
        const query = { resourceVersion, timeoutSeconds: 3, allowWatchBookmarks: true, fieldSelector: 'metadata.name=watched' };
        new k8s.Watch(kc).watch(`/api/v1/namespaces/${namespace}/configmaps`, query,
            (type, object) => got.push([type, object]), (error) => (error ? reject(error) : resolve()));
    });
    deepEqual(got.map(([type]) => type), ['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK']);
    deepEqual([got[0][1].data.k, got[1][1].data.k, got[3][1].kind], ['v', 'w', 'ConfigMap']);
    ok(BigInt(got[3][1].metadata.resourceVersion) >= BigInt(got[2][1].metadata.resourceVersion));
}

// A way to the member that can be cut.
class Relay {
    constructor(server) {
        this.target = new URL(server);
        this.sockets = new Set();
        this.closed = false;
        this.listener = net.createServer((near) => {
            const far = net.connect(this.target.port, this.target.hostname);
            for (const [socket, other] of [[near, far], [far, near]]) {
                this.sockets.add(socket);
                socket.on('close', () => other.destroy() && this.sockets.delete(socket)).on('error', () => other.destroy());
                socket.pipe(other);
            }
            if (this.closed) near.destroy();
        });
    }

    async open() {
        await new Promise((resolve) => this.listener.listen(0, '127.0.0.1', resolve));
        const config = new k8s.KubeConfig();
        config.loadFromDefault();
        config.clusters = config.clusters.map((c) => ({ ...c, server: `https://127.0.0.1:${this.listener.address().port}` }));
        return config;
    }

    cut() {
        for (const socket of this.sockets) socket.destroy();
    }
}

// An informer misses nothing when its watch is cut, nor when what it missed is forgotten by the member.
async function checkInformer() {
    const relay = new Relay(kc.getCurrentCluster().server);
    const config = await relay.open();
    const through = config.makeApiClient(k8s.CoreV1Api);
    const labelSelector = 'informed';
    const informer = k8s.makeInformer(config, `/api/v1/namespaces/${namespace}/configmaps`,
        () => through.listNamespacedConfigMap({ namespace, labelSelector }), labelSelector);
    const seen = [];
    let lists = 0;
    let ended = false;
    for (const verb of ['add', 'update', 'delete']) informer.on(verb, (o) => seen.push(`${verb} ${o.metadata.name}`));
    informer.on('connect', () => lists++);
    informer.on('error', () => setTimeout(() => ended || informer.start(), 50)); // as its manual says
    const make = (name) => core.createNamespacedConfigMap({ namespace, body: configMap(name, { informed: 'yes' }) });
    const sees = (what) => waitFor(what, () => seen.includes(what));
    try {
        await make('i-1');
        await informer.start();
        await sees('add i-1');
        await make('i-2');
        await sees('add i-2');
        relay.cut();
        await make('i-3');
        await sees('add i-3');
        equal(seen.filter((s) => s === 'add i-1').length, 1); // went on where it was
        relay.closed = true;
        relay.cut();
        await core.deleteNamespacedConfigMap({ namespace, name: 'i-1' });
        const { metadata: { resourceVersion } } = await make('i-4');
        await forgotten(resourceVersion);
        const before = lists;
        relay.closed = false;
        await sees('delete i-1');
        await sees('add i-4');
        ok(lists > before);
        deepEqual(informer.list(namespace).map((o) => o.metadata.name).sort(), ['i-2', 'i-3', 'i-4']);
        await core.deleteNamespacedConfigMap({ namespace, name: 'i-4' });
        await sees('delete i-4');
    } finally {
        ended = true;
        await informer.stop();
        relay.cut();
        relay.listener.close();
    }
}

// Writes until the member has no history of that revision any more.
async function forgotten(resourceVersion) {
    const exact = { namespace, resourceVersion, resourceVersionMatch: 'Exact', limit: 1 };
    await waitFor('a 410', async () => {
        await core.deleteCollectionNamespacedConfigMap({ namespace, labelSelector: 'time' });
        await core.createNamespacedConfigMap({ namespace, body: { metadata: { generateName: 't-', labels: { time: 'yes' } } } });
        return core.listNamespacedConfigMap(exact).then(() => false, (e) => e.code === 410);
    });
    await refused(410, 'Expired', core.listNamespacedConfigMap(exact));
}

async function checkPatches() {
    const name = 'patched';
    await apps.createNamespacedDeployment({ namespace, body: deployment(name, 0) });
    const patch = (strategy, body, more) => apps.patchNamespacedDeployment({ namespace, name, body, ...more },
        k8s.setHeaderOptions('Content-Type', strategy));
    const side = { spec: { template: { spec: { containers: [{ name: 'side', image: 's' }] } } } };
    const containers = (d) => d.spec.template.spec.containers.map((c) => c.name);
    deepEqual(containers(await patch(k8s.PatchStrategy.StrategicMergePatch, side)), ['side', 'c']);
    deepEqual(containers(await patch(k8s.PatchStrategy.MergePatch, side)), ['side']);
    equal((await patch(k8s.PatchStrategy.JsonPatch, [{ op: 'add', path: '/spec/paused', value: true }])).spec.paused, true);
    const applied = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, namespace, labels: { l: '1' } } };
    const got = await patch(k8s.PatchStrategy.ServerSideApply, applied, { fieldManager: 'one' });
    const entry = got.metadata.managedFields.find((m) => m.manager === 'one');
    deepEqual([entry.operation, entry.fieldsV1], ['Apply', { 'f:metadata': { 'f:labels': { 'f:l': {} } } }]);
    applied.metadata.labels.l = '2';
    const status = await refused(409, 'Conflict', patch(k8s.PatchStrategy.ServerSideApply, applied, { fieldManager: 'two' }));
    deepEqual([status.details.causes[0].reason, status.details.causes[0].field], ['FieldManagerConflict', '.metadata.labels.l']);
    const forced = await patch(k8s.PatchStrategy.ServerSideApply, applied, { fieldManager: 'two', force: true });
    equal(forced.metadata.labels.l, '2');
}

// Objects of any kind, found by discovery.
async function checkObjects() {
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'object', namespace }, data: { a: '1' } };
    const made = await objects.create(object);
    equal((await objects.read(object)).metadata.uid, made.metadata.uid);
    object.data.a = '2';
    for (const strategy of [k8s.PatchStrategy.StrategicMergePatch, k8s.PatchStrategy.MergePatch, k8s.PatchStrategy.ServerSideApply]) {
        equal((await objects.patch(object, undefined, undefined, 'm', strategy.includes('apply') || undefined, strategy)).data.a, '2');
    }
    made.data.a = '3';
    delete made.metadata.resourceVersion;
    equal((await objects.replace(made)).data.a, '3');
    ok(names(await objects.list('v1', 'ConfigMap', namespace)).includes('object'));
    equal((await objects.delete(object)).status, 'Success');
    await refused(404, 'NotFound', objects.read(object));
}

async function checkSubresources() {
    await apps.createNamespacedDeployment({ namespace, body: deployment('scaled', 0) });
    const one = { namespace, name: 'scaled' };
    equal((await apps.readNamespacedDeploymentScale(one)).status.selector, 'app=scaled');
    const up = [{ op: 'add', path: '/spec/replicas', value: 1 }];
    equal((await apps.patchNamespacedDeploymentScale({ ...one, body: up })).spec.replicas, 1);
    await waitFor('a pod', async () => (await core.listNamespacedPod({ namespace, labelSelector: 'app=scaled' })).items.length);
    const name = 'status';
    await core.createNamespacedPod({ namespace, body: pod(name) });
    const body = { status: { conditions: [{ type: 'example.com/Tested', status: 'True' }], message: 'm' } };
    const got = await core.patchNamespacedPodStatus({ namespace, name, body },
        k8s.setHeaderOptions('Content-Type', k8s.PatchStrategy.StrategicMergePatch));
    ok(got.status.conditions.some((c) => c.type === 'example.com/Tested'));
    const replaced = await update('a replaced status', () => core.readNamespacedPod({ namespace, name }), (body) => {
        body.spec.containers[0].image = 'changed';
        body.status.message = 'n';
        return core.replaceNamespacedPodStatus({ namespace, name, body });
    });
    deepEqual([replaced.status.message, replaced.spec.containers[0].image], ['n', 'i']); // status alone
    // It runs nowhere yet: 204, which this client cannot read, as it cannot from upstream.
    await assert.rejects(core.readNamespacedPodLog({ namespace, name }), /No Content-Type/);
    await core.createNamespacedPodEviction({ namespace, name, body: { metadata: { name }, deleteOptions: { gracePeriodSeconds: 0 } } });
    await refused(404, 'NotFound', core.readNamespacedPod({ namespace, name }));
}

async function checkDeletes() {
    const { metadata: { uid } } = await core.createNamespacedConfigMap({ namespace, body: configMap('guarded') });
    const guarded = (id) => core.deleteNamespacedConfigMap({ namespace, name: 'guarded', body: { preconditions: { uid: id } } });
    await refused(409, 'Conflict', guarded('none'));
    const status = await guarded(uid);
    deepEqual([status.status, status.details.name, status.details.uid], ['Success', 'guarded', uid]);
    const sets = async (name) => (await apps.listNamespacedReplicaSet({ namespace, labelSelector: `app=${name}` })).items;
    for (const propagationPolicy of ['Foreground', 'Background', 'Orphan']) {
        const name = propagationPolicy.toLowerCase();
        await apps.createNamespacedDeployment({ namespace, body: deployment(name, 1) });
        await waitFor('a replica set', async () => (await sets(name)).length);
        await apps.deleteNamespacedDeployment({ namespace, name, propagationPolicy });
        await waitFor(`${name} delete`, async () => !names(await apps.listNamespacedDeployment({ namespace })).includes(name));
        if (propagationPolicy === 'Orphan') equal((await sets(name))[0].metadata.ownerReferences, undefined);
        else await waitFor('no replica set', async () => !(await sets(name)).length);
    }
}

async function checkErrors() {
    const missing = await refused(404, 'NotFound', core.readNamespacedConfigMap({ namespace, name: 'none' }));
    deepEqual([missing.message, missing.details], ['configmaps "none" not found', { name: 'none', kind: 'configmaps' }]);
    const made = await core.createNamespacedConfigMap({ namespace, body: configMap('error') });
    await refused(409, 'AlreadyExists', core.createNamespacedConfigMap({ namespace, body: configMap('error') }));
    await core.patchNamespacedConfigMap({ namespace, name: 'error', body: [{ op: 'add', path: '/data/n', value: '1' }] });
    await refused(409, 'Conflict', core.replaceNamespacedConfigMap({ namespace, name: 'error', body: made }));
    const invalid = await refused(422, 'Invalid', core.createNamespacedPod({ namespace, body: { metadata: { name: 'e' }, spec: { containers: [] } } }));
    deepEqual(invalid.details.causes.map((c) => [c.field, c.reason]), [['spec.containers', 'FieldValueRequired']]);
    await refused(400, 'BadRequest', core.listNamespacedPod({ namespace, labelSelector: '=,=' }));
    await refused(403, 'Forbidden', core.deleteNamespace({ name: 'kube-system' }));
}

async function checkNamespaces() {
    const made = await core.createNamespace({ body: { metadata: { name: 'node-gone' } } });
    deepEqual([made.status.phase, made.spec.finalizers], ['Active', ['kubernetes']]);
    await core.createNamespacedConfigMap({ namespace: 'node-gone', body: configMap('inside') });
    await core.deleteNamespace({ name: 'node-gone' });
    await waitFor('the namespace to go', async () => !names(await core.listNamespace()).includes('node-gone'));
}

// This version of the client has no leader election; this is the usual one, over its Lease calls.
class Candidate {
    constructor(name, seconds) {
        Object.assign(this, { name, seconds, leads: false, stopped: false, renewals: 0, seen: undefined, seenAt: 0 });
        this.ran = this.run();
    }

    // A lease is held for as long as it keeps changing, by the clock of who looks.
    isHeld(lease) {
        const { resourceVersion } = lease.metadata;
        if (resourceVersion !== this.seen) [this.seen, this.seenAt] = [resourceVersion, Date.now()];
        return lease.spec.holderIdentity !== this.name && Date.now() < this.seenAt + lease.spec.leaseDurationSeconds * 1000;
    }

    async attempt() {
        const one = { namespace, name: 'lock' };
        const spec = { holderIdentity: this.name, leaseDurationSeconds: this.seconds, renewTime: new k8s.V1MicroTime() };
        const lease = await coordination.readNamespacedLease(one).catch((e) => {
            if (e.code !== 404) throw e;
        });
        if (!lease) return coordination.createNamespacedLease({ namespace, body: { metadata: { name: 'lock' }, spec } });
        if (this.isHeld(lease)) return null;
        return coordination.replaceNamespacedLease({ ...one, body: { ...lease, spec } });
    }

    async run() {
        while (!this.stopped) {
            try {
                this.leads = Boolean(await this.attempt());
                this.renewals += this.leads ? 1 : 0;
            } catch (e) {
                equal(e.code, 409); // somebody else was faster
                this.leads = false;
            }
            await pause(100);
        }
    }
}

async function checkElection() {
    const [a, b] = [new Candidate('a', 2), new Candidate('b', 2)];
    try {
        const leader = await waitFor('a leader', () => [a, b].find((c) => c.leads));
        const other = leader === a ? b : a;
        await waitFor('the leader to renew', () => leader.renewals > 25); // longer than a lease lasts by itself
        equal(other.renewals, 0);
        leader.stopped = true;
        await waitFor('the other to lead', () => other.leads);
        equal((await coordination.readNamespacedLease({ namespace, name: 'lock' })).spec.holderIdentity, other.name);
    } finally {
        a.stopped = b.stopped = true;
        await Promise.all([a.ran, b.ran]);
    }
}

const checks = [checkDiscovery, checkOpenApi, checkTypedKinds, checkValues, checkPaging, checkPatches, checkObjects,
    checkSubresources, checkDeletes, checkErrors, checkNamespaces];
const waiting = [checkWatch, checkInformer, checkElection]; // these mostly wait: beside the others
let failed = 0;

async function run(check) {
    const began = Date.now();
    try {
        await check();
    } catch (e) {
        failed++;
        console.log(`FAIL: ${check.name}:`, e);
    }
    console.log(`${((Date.now() - began) / 1000).toFixed(2).padStart(6)} s ${check.name}`);
}

await core.createNamespace({ body: { metadata: { name: namespace } } });
const waited = waiting.map(run);
for (const check of checks) await run(check);
await Promise.all(waited);
console.log(`clients_node: ${checks.length + waiting.length} checks, ${failed} failed`);
process.exit(failed ? 1 : 0);
