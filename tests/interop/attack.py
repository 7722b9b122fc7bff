"""Attacks on one member, each with its precise answer: attack.py CLUSTER HOST PORT PID LOG KUBELET.

All the while a client of another process reads and writes at a steady pace on a connection that it keeps: none of
its answers may be late, none other than it should be. The member's memory and descriptors are looked at around each
attack. KUBELET is the address of node n1, whose agent is played here.
"""
import contextlib
import json
import os
import re
import resource
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time

BYSTANDER_S = 1.0        # the slowest answer of the bystander; usual is a few milliseconds
PACE_S = 0.02            # between two of its requests
MIB = 1 << 20
PATIENCE_S = 20          # for anything that has no time of its own
HEAD_S = 10              # HTTP_SERVER_HANDSHAKE_MS
STALL_S = 30             # HTTP_STALL_MS
HELD_BYTES_MAX = 96 << 20 # HTTP_SERVER_HELD_BYTES_MAX, of a loop
CONNECTIONS = 10000
OPENERS = 4
LOOPS = 2                # of the member
LOOP_CONNECTIONS = 4096  # HTTP_SERVER_CONNECTIONS_MAX, or what fits into the files it may open:
FILES_OWN = 512          # without these
LOG_LINES = 400          # of the member, whatever happens
CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
JSON, YAML, MERGE = "application/json", "application/yaml", "application/merge-patch+json"


class Member:
    def __init__(self, cluster, host, port, pid, log, kubelet):
        self.cluster, self.host, self.port, self.pid, self.log, self.kubelet = cluster, host, port, pid, log, kubelet
        self.contexts = {}

    def context(self, alpn, certificate):
        key = alpn, certificate
        if key not in self.contexts:
            c = ssl.create_default_context(cafile=self.cluster + "/ca.crt")
            c.check_hostname = False
            if certificate:
                c.load_cert_chain(self.cluster + "/admin.crt", self.cluster + "/admin.key")
            else:
                c.verify_mode = ssl.CERT_NONE  # the server's work is what counts
            c.set_alpn_protocols([alpn])
            self.contexts[key] = c
        return self.contexts[key]

    def connect(self, alpn="http/1.1", certificate=True, receive_bytes=0):
        s = socket.socket()
        if receive_bytes:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        s.settimeout(PATIENCE_S)
        s.connect((self.host, self.port))
        return self.context(alpn, certificate).wrap_socket(s)

    def status(self, name):
        with open(f"/proc/{self.pid}/status") as lines:
            return next(int(line.split()[1]) << 10 for line in lines if line.startswith(name + ":"))

    def peak_begin(self):
        with open(f"/proc/{self.pid}/clear_refs", "w") as f:
            f.write("5")  # VmHWM starts again

    def fds(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def cpu_s(self):
        with open(f"/proc/{self.pid}/stat") as f:
            words = f.read().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def metric(self, name):
        _, body = ask(self, "GET", "/metrics")
        return int(re.search(rf"^{re.escape(name)} (\d+)", body.decode(), re.M).group(1))


def head(method, path, **fields):
    lines = [f"{method} {path} HTTP/1.1", "Host: x"] + [f"{k.replace('_', '-')}: {v}" for k, v in fields.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def read_answer(s, data=b""):
    """One answer: (status, body); the body has a length or is chunked and short."""
    def more():
        piece = s.recv(65536)
        if not piece:
            raise ConnectionError("closed in the middle of an answer: %r" % data[:200])
        return piece
    while b"\r\n\r\n" not in data:
        data += more()
    top, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", top, re.I)
    while length and len(body) < int(length.group(1)):
        body += more()
    while not length and not body.endswith(b"0\r\n\r\n"):
        body += more()
    return int(top[9:12]), body


def ask(member, method, path, body=b"", content_type=JSON, connection=None):
    s = connection or member.connect()
    fields = {"Content_Type": content_type, "Content_Length": len(body)} if method not in ("GET", "DELETE") else {}
    s.sendall(head(method, path, **fields) + body)
    answer = read_answer(s)
    if connection is None:
        s.close()
    return answer


def must(what, condition, why=""):
    if not condition:
        raise SystemExit(f"{what}: {why}")


def refused(what, answer, code, reason, message):
    """The answer is this Status, and its message has this text."""
    status, body = answer
    said = json.loads(body)
    must(what, status == code == said["code"] and said["reason"] == reason and message in said["message"],
         f"wanted {code} {reason} {message!r}, got {status} {body[:600]!r}")


def until(what, condition, seconds=PATIENCE_S):
    limit = time.monotonic() + seconds
    while not condition():
        must(what, time.monotonic() < limit, f"not within {seconds} s")
        time.sleep(0.05)


def is_closed(s):
    """Did the peer end it? What it sent before is thrown away, at most a mebibyte of it."""
    s.setblocking(False)
    try:
        return s.recv(MIB) == b""
    except (ssl.SSLWantReadError, BlockingIOError):
        return False
    except OSError:
        return True


def config_map(name, bytes_=0):
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name},
                       "data": {"a": "x" * bytes_}}).encode()


# ---- who notices nothing ----

def bystander(member):
    """Reads, creates and deletes until standard input ends; then says what was the slowest."""
    s, slowest, count = member.connect(), 0.0, 0
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    print("ready", flush=True)
    while not over.wait(PACE_S):
        for method, path, body, code in (("GET", "/api/v1/namespaces/default", b"", 200),
                                         ("POST", CONFIGMAPS, config_map("bystander"), 201),
                                         ("GET", CONFIGMAPS + "/bystander", b"", 200),
                                         ("DELETE", CONFIGMAPS + "/bystander", b"", 200)):
            began = time.monotonic()
            status, answer = ask(member, method, path, body, connection=s)
            slowest, count = max(slowest, time.monotonic() - began), count + 1
            must("bystander", status == code, f"{method} {path}: {status} {answer[:300]!r}")
    print(json.dumps({"slowest": slowest, "count": count}))


over = threading.Event()


@contextlib.contextmanager
def attack(member, name, grows_mib, spare_fds=0):
    """Around an attack: the bystander, the member's memory and its descriptors."""
    before, fds, began = member.status("VmRSS"), member.fds(), time.monotonic()
    member.peak_begin()
    other = again("bystander")
    other.stdout.readline()
    try:
        yield
    finally:
        told = other.communicate()[0]
    must(name, other.returncode == 0, "the bystander was not served")
    said = json.loads(told)
    until(f"{name}: descriptors", lambda: member.fds() <= fds + spare_fds)
    peak, after = member.status("VmHWM"), member.status("VmRSS")
    print(f"figure {name}: {time.monotonic() - began:.1f} s, bystander {said['count']} answers, slowest "
          f"{said['slowest'] * 1000:.0f} ms, memory {before // MIB} MiB, peak {peak // MIB}, after {after // MIB}", flush=True)
    must(name, said["count"] > 0 and said["slowest"] < BYSTANDER_S, f"a bystander waited {said['slowest']:.2f} s")
    must(name, peak < before + grows_mib * MIB, f"memory grew by {(peak - before) // MIB} MiB, more than {grows_mib}")


# ---- attacks ----

def bodies(m):
    """One body too large, one too wide, one too deep."""
    for chunked in (False, True):
        with m.connect() as s:
            size = 3145728 + 1
            how = {"Transfer_Encoding": "chunked"} if chunked else {"Content_Length": size}
            s.sendall(head("POST", CONFIGMAPS, Content_Type=JSON, **how))
            body = b"%x\r\n" % size + b" " * size + b"\r\n" if chunked else b" " * size
            with contextlib.suppress(OSError):  # refused before all of it was sent
                s.sendall(body)
            refused("3 MiB + 1", read_answer(s), 413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728")
    laughs = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
    laughs += "".join(f"a{i}: &a{i} [{','.join(['*a%d' % (i - 1)] * 9)}]\n" for i in range(1, 12))
    refused("billion laughs", ask(m, "POST", CONFIGMAPS, laughs.encode(), YAML), 400, "BadRequest",
            "yaml: document contains excessive aliasing")
    deep = b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"deep"},"data":' + b'{"a":' * 10000 + b"1" + b"}" * 10001
    refused("10,000 deep", ask(m, "POST", CONFIGMAPS, deep), 400, "BadRequest", "json parse error: exceeded max depth")
    arrays = b"[" * 10000 + b"]" * 10000
    refused("10,000 arrays", ask(m, "POST", CONFIGMAPS, arrays), 400, "BadRequest", "json parse error: exceeded max depth")


def drip(s, data, seconds):
    """A byte a second until the peer ends it: how long that took."""
    began = time.monotonic()
    for i in range(len(data)):
        with contextlib.suppress(OSError):
            s.setblocking(True)
            s.send(data[i:i + 1])
        next_ = time.monotonic() + 1
        while time.monotonic() < next_:
            if is_closed(s):
                return time.monotonic() - began
            time.sleep(0.02)
        must("a byte a second", time.monotonic() - began < seconds, "still open")
    raise SystemExit("a byte a second: all of it was taken")


class Beside(threading.Thread):
    """What takes its time while others attack; finish says what went wrong."""

    def __init__(self, work, *args):
        super().__init__(daemon=True)
        self.work, self.args, self.problem = work, args, None
        self.start()

    def run(self):
        try:
            self.work(*self.args)
        except BaseException as problem:
            self.problem = problem

    def finish(self):
        self.join()
        if self.problem:
            raise self.problem


def slow_head(s, what):
    """Closed without a word, as upstream does, so long after its first byte."""
    took = drip(s, head("GET", CONFIGMAPS, X="a" * 100), HEAD_S + 5)
    must(f"{what} head a byte a second", HEAD_S - 1 < took < HEAD_S + 3, f"open for {took:.1f} s")


def slow_body(m):
    with m.connect() as s:
        s.sendall(head("POST", CONFIGMAPS + "?timeout=3s", Content_Type=JSON, Content_Length=100))
        began, answer = time.monotonic(), b""
        s.settimeout(1)
        while not answer and time.monotonic() < began + PATIENCE_S:
            s.send(b" ")
            with contextlib.suppress(TimeoutError):
                answer = s.recv(65536)
        took = time.monotonic() - began
        refused("body a byte a second", read_answer(s, answer), 504, "Timeout",
                "Timeout: request did not complete within the allotted timeout")
        must("body a byte a second", 3 <= took < 6, f"{took:.1f} s")


def slow_senders(m):
    """A byte a second: of a first head, of a second one, of a body."""
    second = m.connect()
    must("a first request", ask(m, "GET", CONFIGMAPS + "?limit=1", connection=second)[0] == 200)
    return [Beside(slow_head, m.connect(), "a first"), Beside(slow_head, second, "a second"), Beside(slow_body, m)]


class Stalling:
    """Those who read nothing: of a watch, of a list, of a list a byte a second. Cut after STALL_S.

    The kernel owes them what it took before, so they do not see it: the member's count does.
    """

    def __init__(self, m):
        self.member, self.began, self.cut, self.open = m, time.monotonic(), [], []
        for i in range(10):
            for what in ("?watch=1&resourceVersion=0", "?limit=8"):
                self.open.append(m.connect(receive_bytes=4096))
                self.open[-1].sendall(head("GET", CONFIGMAPS + what))
        self.slow = m.connect(receive_bytes=4096)
        self.slow.sendall(head("GET", CONFIGMAPS + "?limit=8"))
        self.open.append(self.slow)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        name = 'http_server_closed_total{limit="stall"}'
        while len(self.cut) < len(self.open) and time.monotonic() < self.began + STALL_S + 15:
            time.sleep(1)
            with contextlib.suppress(OSError):
                self.slow.recv(1)
            with contextlib.suppress(OSError):  # of an attack's making; the next second tells it
                new = self.member.metric(name) - len(self.cut)
                self.cut += [time.monotonic() - self.began] * new

    def finish(self):
        self.thread.join()
        must("stalling readers", len(self.cut) == len(self.open), f"{len(self.cut)} of {len(self.open)} were cut")
        must("stalling readers", STALL_S - 2 < self.cut[0] and self.cut[-1] < STALL_S + 10,
             f"not cut after {STALL_S} s: {self.cut}")
        for s in self.open:
            s.close()


def hpack(name, value):
    def size(n):
        if n < 127:
            return bytes([n])
        return bytes([127, n - 127])
    return b"\0" + size(len(name)) + name + size(len(value)) + value


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def slow_readers(m):
    """Many that ask for lists and read nothing, on connections of their own and as streams of few."""
    held = []
    for _ in range(150):
        s = m.connect(receive_bytes=4096)
        s.sendall(head("GET", CONFIGMAPS))
        held.append(s)
    block = b"".join(hpack(k, v) for k, v in ((b":method", b"GET"), (b":scheme", b"https"), (b":authority", b"x"),
                                              (b":path", CONFIGMAPS.encode() + b"?limit=8")))
    for _ in range(6):
        s = m.connect("h2")
        s.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, struct.pack(">HI", 4, 0)))
        for i in range(1, 200, 2):
            s.sendall(frame(1, 5, i, block))
        held.append(s)
    # Whoever holds much goes; the others, a piece of a list each, stay while all are within two loops' bound.
    until("held", lambda: m.metric('http_server_closed_total{limit="held"}') > 0)
    until("held", lambda: m.metric("http_server_held_bytes") <= 2 * HELD_BYTES_MAX)
    for s in held:
        s.close()


def opener(member, count):
    """Opens so many, each answered once and then idle; holds them until standard input ends."""
    held, answers = [], {}
    for _ in range(count):
        s = member.connect(certificate=False)
        s.sendall(head("GET", "/livez"))
        status, _ = read_answer(s)
        answers[status] = answers.get(status, 0) + 1
        held.append(socket.socket(fileno=s.detach()))  # no TLS state is kept here
    print(json.dumps(answers), flush=True)
    sys.stdin.read()


def again(mode, *more):
    """This program once more, as one of the others."""
    return subprocess.Popen([sys.executable, __file__, mode, *sys.argv[1:7], *more], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, text=True)


def connections(m, connections_max):
    """More than may be open: all are answered, those idle for longest make room, a new one is served."""
    before = m.status("VmRSS")
    openers = [again("opener", str(CONNECTIONS // OPENERS)) for _ in range(OPENERS)]
    for o in openers:
        answers = json.loads(o.stdout.readline() or "{}")
        must("connections", answers == {"401": CONNECTIONS // OPENERS}, f"answers: {answers}")
    open_now = m.metric("http_server_connections")
    each = (m.status("VmRSS") - before) / open_now
    print(f"figure connections: {CONNECTIONS} opened, {open_now} kept, {each / 1024:.1f} KiB each", flush=True)
    must("connections", connections_max * 0.9 < open_now <= connections_max + 16, f"{open_now} are open")
    must("connections", m.metric('http_server_closed_total{limit="connections"}') >= CONNECTIONS - connections_max)
    for o in openers:
        o.communicate()


def no_descriptors(m):
    """The process may open no more: who comes waits, nothing spins, who is there is served; then all is well again."""
    soft, hard = resource.prlimit(m.pid, resource.RLIMIT_NOFILE)
    held = []
    try:
        resource.prlimit(m.pid, resource.RLIMIT_NOFILE, (m.fds() + 5, hard))
        for _ in range(50):
            held.append(socket.create_connection((m.host, m.port), timeout=PATIENCE_S))
        cpu = m.cpu_s()
        time.sleep(1)  # what it does meanwhile is what is measured
        must("no descriptors", m.cpu_s() - cpu < 0.7, f"{m.cpu_s() - cpu:.2f} s of CPU in a second: it spins")
    finally:
        resource.prlimit(m.pid, resource.RLIMIT_NOFILE, (soft, hard))
    must("after", ask(m, "GET", CONFIGMAPS + "?limit=1")[0] == 200)
    for s in held:
        s.close()


# ---- half a frame ----

class Kubelet:
    """The agent of n1: upgrades to SPDY and says what it was told to, then ends or waits."""

    def __init__(self, m):
        c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        c.load_cert_chain(m.cluster + "/nodes/n1/tls.crt", m.cluster + "/nodes/n1/tls.key")
        self.listener = socket.create_server((m.kubelet, 10250))
        self.context, self.says, self.ends, self.left = c, b"", True, threading.Event()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            s = self.context.wrap_socket(self.listener.accept()[0], server_side=True)
            data = b""
            while b"\r\n\r\n" not in data:
                data += s.recv(65536)
            s.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n"
                      b"X-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\n" + self.says)
            if not self.ends:
                with contextlib.suppress(OSError):
                    while s.recv(65536):
                        pass
                self.left.set()
            s.close()


def make_pod(m):
    node = {"metadata": {"name": "n1"}, "status": {"addresses": [{"type": "InternalIP", "address": m.kubelet}]}}
    answer = ask(m, "POST", "/api/v1/nodes", json.dumps(node).encode())
    must("node", answer[0] == 201, answer)
    answer = ask(m, "PATCH", "/api/v1/nodes/n1/status", json.dumps({"status": node["status"]}).encode(), MERGE)
    must("node", answer[0] == 200, answer)
    pod = {"metadata": {"name": "p"}, "spec": {"nodeName": "n1", "containers": [{"name": "c", "image": "i"}]}}
    answer = ask(m, "POST", "/api/v1/namespaces/default/pods", json.dumps(pod).encode())
    must("pod", answer[0] == 201, answer)


def upgrade(m, protocol, **fields):
    s = m.connect()
    s.sendall(head("GET", "/api/v1/namespaces/default/pods/p/exec?command=sh&stdout=1", Connection="Upgrade",
                   Upgrade=protocol, **fields))
    data = b""
    while b"\r\n\r\n" not in data:
        data += s.recv(65536)
    must("upgrade", data.startswith(b"HTTP/1.1 101 "), data[:400])
    return s, data.partition(b"\r\n\r\n")[2]


def rest(s, data):
    with contextlib.suppress(OSError):
        while piece := s.recv(65536):
            data += piece
    return data


def half_frames(m):
    """Of a client that goes away in the middle of one; of an agent that ends there, or sends what is none."""
    make_pod(m)
    kubelet = Kubelet(m)
    kubelet.ends = False
    s, _ = upgrade(m, "SPDY/3.1", X_Stream_Protocol_Version="v4.channel.k8s.io")
    s.sendall(b"\x80\x03\x00\x01\x00")
    s.close()
    must("half a frame of a client", kubelet.left.wait(PATIENCE_S), "its agent still waits")
    kubelet.ends = True
    websocket = {"Sec_WebSocket_Version": "13", "Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ==",
                 "Sec_WebSocket_Protocol": "v4.channel.k8s.io"}
    lost = b"closed the stream before the end of the command was known"
    for says in (b"\x80\x03\x00\x02\x00", b"\xff" * 64):
        kubelet.says = says
        s, data = upgrade(m, "websocket", **websocket)
        data = rest(s, data)
        must("half a frame of an agent", lost in data and b"InternalError" in data, data[:600])
        s.close()


def main():
    member = Member(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5], sys.argv[6])
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    for i in range(40):
        must("create", ask(member, "POST", CONFIGMAPS, config_map(f"c{i}", 100000))[0] == 201)
    fds = member.fds()
    beside = [Stalling(member), *slow_senders(member)]
    with attack(member, "bodies", 96):
        bodies(member)
    with attack(member, "half frames", 32, spare_fds=8):
        half_frames(member)
    with attack(member, "slow readers", 384):
        slow_readers(member)
    with attack(member, "no descriptors", 32):
        no_descriptors(member)
    if hard < CONNECTIONS // OPENERS + FILES_OWN:
        print(f"connections: not tested, a process may open {hard} files, {CONNECTIONS // OPENERS + FILES_OWN} are needed")
    else:
        with attack(member, "connections", 256):
            connections(member, LOOPS * min(LOOP_CONNECTIONS, (hard - FILES_OWN) // LOOPS))
    for b in beside:
        b.finish()
    until("held", lambda: member.metric("http_server_held_bytes") == 0)
    until("descriptors", lambda: member.fds() <= fds + 8)
    with open(member.log) as log:
        lines = log.readlines()
    must("log", len(lines) < LOG_LINES, f"{len(lines)} lines")
    must("log", not [line for line in lines if " ERROR " in line], "it has errors")


if __name__ == "__main__":
    others = {"bystander": bystander, "opener": opener}
    if sys.argv[1] in others:
        cluster, host, port, pid, log, kubelet, *more = sys.argv[2:]
        others[sys.argv[1]](Member(cluster, host, int(port), int(pid), log, kubelet), *map(int, more))
    else:
        main()
