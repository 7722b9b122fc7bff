// @kubernetes/client-node runs commands in a pod, attaches, forwards a port and reads logs.
// usage: clients.mjs NODE_MODULES NAMESPACE POD; containers `sh` (echoes lines of its standard input) and `web` (a page on 8080)
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { pathToFileURL } from 'node:url';

const [modules, namespace, name] = process.argv.slice(2);
const k8s = await import(pathToFileURL(`${modules}/@kubernetes/client-node/dist/index.js`));
const kc = new k8s.KubeConfig();
kc.loadFromDefault();
const core = kc.makeApiClient(k8s.CoreV1Api);

// A sink, and what has come into it.
class Sink extends PassThrough {
    constructor() {
        super();
        this.text = '';
        this.on('data', (chunk) => (this.text += chunk));
    }

    async until(part) {
        while (!this.text.includes(part)) await new Promise((resolve) => this.once('data', resolve));
    }
}

async function execute(command, { container = 'sh', input, tty = false } = {}) {
    const [out, err] = [new Sink(), new Sink()];
    const status = await new Promise((resolve, reject) => {
        new k8s.Exec(kc).exec(namespace, name, container, command, out, tty ? null : err, input ?? null, tty, resolve)
            .catch(reject);
    });
    return { out: out.text, err: err.text, status };
}

const input = (text) => {
    const stream = new PassThrough();
    stream.end(text);
    return stream;
};

const failed = await execute(['sh', '-c', 'echo out; echo err >&2; exit 7']);
assert.deepEqual([failed.out, failed.err], ['out\n', 'err\n']);
assert.deepEqual([failed.status.status, failed.status.reason], ['Failure', 'NonZeroExitCode']);
assert.deepEqual(failed.status.details.causes, [{ reason: 'ExitCode', message: '7' }]);
assert.equal((await execute(['true'])).status.status, 'Success');
// Standard input ends, which only version 5 of the protocol can say.
assert.equal((await execute(['cat'], { input: input('one\ntwo\n') })).out, 'one\ntwo\n');
assert.equal((await execute(['sh', '-c', "head -c 2000000 /dev/zero | tr '\\0' x"])).out.length, 2000000);
assert.match((await execute(['sh', '-c', 'tty; echo done'], { tty: true })).out, /\/dev\/.*done/s);
await assert.rejects(execute(['true'], { container: 'none' }), (e) => e.message.includes('400'));

const lines = new PassThrough();
const out = new Sink();
const attached = await new k8s.Attach(kc).attach(namespace, name, 'sh', out, new Sink(), lines, false);
lines.write('node\n');
await out.until('got node');
attached.close();

const page = new Sink();
const request = new PassThrough();
const forwarded = await new k8s.PortForward(kc).portForward(namespace, name, [8080], page, new Sink(), request);
request.write('GET / HTTP/1.0\r\n\r\n');
await page.until('a page');
forwarded.close();

const log = new Sink();
const following = await new k8s.Log(kc).log(namespace, name, 'sh', log, { follow: true, tailLines: 5 });
await log.until('got node');
following.abort();
assert.match(await core.readNamespacedPodLog({ namespace, name, container: 'sh' }), /got node/);
console.log('clients.mjs: exec, attach, port-forward, logs');
process.exit(0);
