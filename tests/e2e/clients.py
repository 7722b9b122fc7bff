#!/usr/bin/python3
"""Debian's python3-kubernetes runs commands in a pod, attaches, forwards a port and reads logs.

usage: clients.py NAMESPACE POD; containers `sh` (echoes lines of its standard input) and `web` (a page on 8080)
"""
import sys
import time

from kubernetes import client, config, watch
from kubernetes.client.rest import ApiException
from kubernetes.stream import portforward, stream

WAIT_S = 15
ns, name = sys.argv[1:]
config.load_kube_config()
core = client.CoreV1Api()


def equal(got, want):
    assert got == want, f"{got!r} is not {want!r}"


def execute(*command, **more):
    options = dict(container="sh", stdin=False, stdout=True, stderr=True, tty=False, _preload_content=False)
    return stream(core.connect_get_namespaced_pod_exec, name, ns, command=list(command), **{**options, **more})


def ended(session):
    session.run_forever(timeout=WAIT_S)
    assert not session.is_open(), "the command did not end"
    return session.read_stdout(), session.read_stderr(), session.returncode


equal(ended(execute("sh", "-c", "echo out; echo err >&2; exit 7")), ("out\n", "err\n", 7))
equal(ended(execute("true")), ("", "", 0))
equal(stream(core.connect_get_namespaced_pod_exec, name, ns, command=["echo", "a", "b c"], container="sh", stdout=True,
             stderr=True, stdin=False, tty=False), "a b c\n")
session = execute("head", "-n", "2", stdin=True)
session.write_stdin("one\n")
session.write_stdin("two\n")
equal(ended(session), ("one\ntwo\n", "", 0))
out, _, status = ended(execute("sh", "-c", "head -c 2000000 /dev/zero | tr '\\0' x"))
equal((len(out), status), (2000000, 0))
session = execute("sh", "-c", "until stty size | grep '30 100'; do :; done; read -r line; echo $line", stdin=True, tty=True)
session.write_channel(4, '{"Width":100,"Height":30}')
session.write_stdin("typed\n")
out, _, status = ended(session)
assert "30 100\r\n" in out and status == 0, (out, status)
for bad, code in ((dict(container="none"), 400), (dict(container="none", stdout=False, stderr=False), 400)):
    try:
        execute("true", **bad)
        raise AssertionError("a container that is not there")
    except ApiException as e:
        assert f"Handshake status {code}" in str(e.reason), e.reason

session = stream(core.connect_get_namespaced_pod_attach, name, ns, container="sh", stdin=True, stdout=True, stderr=True,
                 tty=False, _preload_content=False)
session.write_stdin("python\n")
equal(session.readline_stdout(timeout=WAIT_S), "got python")
session.close()

forward = portforward(core.connect_get_namespaced_pod_portforward, name, ns, ports="8080")
connection = forward.socket(8080)
connection.setblocking(True)
connection.settimeout(WAIT_S)
connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
answer = b""
while chunk := connection.recv(65536):
    answer += chunk
assert answer.endswith(b"a page\n"), answer
equal(forward.error(8080), None)

end = time.monotonic() + WAIT_S
while "got python" not in core.read_namespaced_pod_log(name, ns, container="sh") and time.monotonic() < end:
    time.sleep(0.1)
lines = watch.Watch().stream(core.read_namespaced_pod_log, name, ns, container="sh", follow=True, tail_lines=1)
equal(next(lines), "got python")
print("clients.py: exec, attach, port-forward, logs")
