"""Attacks on one API server: attack.py CLUSTER HOST PORT PID [NAME...].

Each attack is bounded and must end with a precise refusal or a close. All the while another client asks for
small answers and must get them, and the server's memory must not grow without bound.
"""
import json
import os
import resource
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib

TIMEOUT_S = 10
PROBE_S = 3.0
GROWTH_BYTES = 256 << 20
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
JSON, YAML, PROTOBUF = "application/json", "application/yaml", "application/vnd.kubernetes.protobuf"


class Target:
    def __init__(self, cluster, host, port, pid):
        self.cluster, self.host, self.port, self.pid = cluster, host, port, pid

    def tcp(self):
        s = socket.create_connection((self.host, self.port), timeout=TIMEOUT_S)
        s.settimeout(TIMEOUT_S)
        return s

    def tls(self, alpn, certificate="admin"):
        context = ssl.create_default_context(cafile=self.cluster + "/ca.crt")
        context.check_hostname = False
        if certificate:
            base = certificate if "/" in certificate else f"{self.cluster}/{certificate}"
            context.load_cert_chain(base + ".crt", base + ".key")
        context.set_alpn_protocols([alpn])
        return context.wrap_socket(self.tcp(), server_hostname=self.host)

    def rss(self):
        with open(f"/proc/{self.pid}/status") as lines:
            return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmRSS"))

    def fds(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))


def receive(s, seconds=TIMEOUT_S, most=1 << 20):
    """Everything until the end, an error, the time or so many bytes."""
    until, out = time.monotonic() + seconds, b""
    try:
        while len(out) < most and time.monotonic() < until:
            s.settimeout(max(0.01, until - time.monotonic()))
            piece = s.recv(65536)
            if not piece:
                break
            out += piece
    except (OSError, ssl.SSLError):
        pass
    return out


def send(s, data):
    try:
        s.sendall(data)
        return True
    except (OSError, ssl.SSLError):
        return False


def head(method, path, **fields):
    lines = [f"{method} {path} HTTP/1.1", "Host: x"] + [f"{k.replace('_', '-')}: {v}" for k, v in fields.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def ask(target, method, path, body=b"", content_type=JSON, seconds=TIMEOUT_S, certificate="admin", **fields):
    """One request over HTTP/1.1 on a connection of its own: (status, body); status 0: closed without an answer."""
    s = target.tls("http/1.1", certificate)
    with s:
        fields = {"Connection": "close", **fields}
        if body or method != "GET":
            fields.update(Content_Type=content_type, Content_Length=len(body))
        send(s, head(method, path, **fields) + body)
        answer = receive(s, seconds, 8 << 20)
    if not answer.startswith(b"HTTP/1.1 "):
        return 0, answer
    return int(answer[9:12]), answer.partition(b"\r\n\r\n")[2]


def expect(what, got, *allowed):
    status, body = got
    if status not in allowed:
        raise SystemExit(f"{what}: {status}, not one of {allowed}: {body[:300]}")


# ---- HTTP/2 by hand ----

def varint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def hpack_int(n, bits, first):
    most = (1 << bits) - 1
    if n < most:
        return bytes([first | n])
    return bytes([first | most]) + varint(n - most)


def hpack(name, value):
    """Literal without indexing, no Huffman."""
    return b"\0" + hpack_int(len(name), 7, 0) + name + hpack_int(len(value), 7, 0) + value


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def request_block(method="GET", path="/readyz", *more):
    fields = [(":method", method), (":scheme", "https"), (":path", path), (":authority", "x"), *more]
    return b"".join(hpack(k.encode(), v.encode()) for k, v in fields)


def h2(target, certificate="admin", settings=b""):
    s = target.tls("h2", certificate)
    send(s, PREFACE + frame(4, 0, 0, settings))
    return s


def read_frames(s, seconds=3.0):
    data, out = receive(s, seconds), []
    while len(data) >= 9:
        size = int.from_bytes(data[:3], "big")
        out.append((data[3], data[4], int.from_bytes(data[5:9], "big") & 0x7FFFFFFF, data[9:9 + size]))
        data = data[9 + size:]
    return out


def goaway(frames):
    return any(kind == 7 for kind, _, _, _ in frames)


# ---- bodies ----

def config_map(name, data=None, **metadata):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata}, "data": data or {}}


def bodies(t):
    """JSON, YAML and protobuf that are deep, wide, aliased, compressed or broken."""
    post = lambda what, body, kind, *allowed, **f: expect(what, ask(t, "POST", CONFIGMAPS, body, kind, **f), *allowed)
    good = json.dumps(config_map("attack-gzip")).encode()
    post("gzip", zlib.compress(good, wbits=31), JSON, 400, 415, Content_Encoding="gzip")
    bomb = zlib.compress(b"0" * (64 << 20), wbits=31)
    post("gzip bomb", bomb, JSON, 400, 415, Content_Encoding="gzip")
    for what, body in (
            ("deep arrays", b"[" * (1 << 20)), ("deep objects", b'{"a":' * 200000),
            ("deep unknown field", b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"z":' + b"[" * 1000 + b"]" * 1000 + b"}"),
            ("wide", b'{"a":[' + b"{}," * 900000 + b"{}]}"), ("number", b"1" * (2 << 20)), ("exponent", b'{"a":1e999999999}'),
            ("surrogate", b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"\\ud800"}}'),
            ("escape", b'"' + b"\\u0041" * 400000), ("nul", b'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a\\u0000b"}}'),
            ("keys", b"{" + b",".join(b'"k%d":1' % i for i in range(200000)) + b"}"),
            ("same key", b"{" + b",".join([b'"k":1'] * 400000) + b"}")):
        post("json " + what, body, JSON, 400, 413, 422)
    laughs = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(f"a{i}: &a{i} [{','.join(['*a%d' % (i - 1)] * 9)}]\n" for i in range(1, 12))
    for what, body in (("laughs", laughs.encode()), ("deep flow", b"[" * 300000), ("deep block", b"- " * 300000),
                       ("self alias", b"a: &a [*a]\n"), ("merge", b"a: &a {<<: *a}\n"), ("keys", b"? " * 200000), ("tags", b"!!binary x\n"),
                       ("documents", b"---\na: b\n" * 100000), ("anchors", b"".join(b"- &a%d x\n" % i for i in range(100000)))):
        post("yaml " + what, body, YAML, 400, 413, 415, 422)
    deep = b""
    for _ in range(4000):
        deep = b"\x0a" + varint(len(deep)) + deep
    for what, body in (("nested", deep), ("groups", b"\x0b" * 500000), ("length", b"\x0a\xff\xff\xff\xff\x0f"), ("varint", b"\x08" + b"\xff" * 400000),
                       ("length 64", b"\x0a" + b"\xff" * 9 + b"\x01"), ("empties", b"\x0a\x00" * 700000), ("wire 7", b"\x0f\x0f"), ("short", b"\x12")):
        post("protobuf " + what, b"k8s\0" + body, PROTOBUF, 400, 413, 422)
        unknown = b"\x0a\x0f" + b"\x0a\x02v1\x12\x09ConfigMap" + b"\x12" + varint(len(body)) + body
        post("protobuf raw " + what, b"k8s\0" + unknown, PROTOBUF, 201, 400, 413, 422)
    post("large", b" " * (3 << 20) + b"x" * 4096, JSON, 413, 400)


def patches(t):
    """The three kinds of patch, each grown into a bomb."""
    name = "attack-patch"
    ask(t, "DELETE", f"{CONFIGMAPS}/{name}")
    expect("create", ask(t, "POST", CONFIGMAPS, json.dumps(config_map(name, {"a": "x" * 1000})).encode()), 201)
    kinds = {"json": "application/json-patch+json", "merge": "application/merge-patch+json",
             "strategic": "application/strategic-merge-patch+json"}

    def patch(what, kind, body, *allowed):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        expect(f"{kind} patch {what}", ask(t, "PATCH", f"{CONFIGMAPS}/{name}", body, kinds[kind], 60), *allowed)

    double = [{"op": "copy", "from": "/data", "path": f"/data/d{i}"} for i in range(60)]
    strings = [{"op": "copy", "from": "/data/a", "path": f"/data/c{i}"} for i in range(9000)]
    lists = [{"op": "add", "path": "/metadata/finalizers", "value": []}] + [{"op": "add", "path": "/metadata/finalizers/0", "value": "a/b"}] * 20000
    for what, body in (("doubling", double), ("many copies", strings), ("inserts", lists), ("tests", [{"op": "test", "path": "/data", "value": None}] * 30000),
                       ("moves", [{"op": "move", "from": "/data", "path": "/data/a"}]), ("index", [{"op": "add", "path": "/metadata/finalizers/99999999999999999999", "value": 1}]),
                       ("pointer", [{"op": "add", "path": "/a" * 300000, "value": 1}]), ("tilde", [{"op": "remove", "path": "/~2~"}]), ("deep", b'[{"op":"add","path":"/data","value":' + b"[" * 100000)):
        patch(what, "json", body, 400, 413, 415, 422)
    deep = b'{"a":' * 100000 + b"1" + b"}" * 100000
    for kind in ("merge", "strategic"):
        patch("deep", kind, deep, 400, 413, 422)
        patch("not an object", kind, b"[]", 400, 422)
        patch("wide", kind, {"data": {f"k{i}": "v" * 8 for i in range(100000)}}, 400, 413, 422)
        patch("wrong types", kind, {"metadata": [{"labels": 1}], "data": "x"}, 400, 422)
    for what, body in (("directive", {"data": {"$patch": "replace", "$retainKeys": ["a"] * 100000}}), ("order", {"metadata": {"$setElementOrder/ownerReferences": [{"uid": "a"}] * 50000}}),
                       ("delete list", {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"] * 100000}}), ("unknown directive", {"$patch": {"$patch": "merge"}}),
                       ("owners", {"metadata": {"ownerReferences": [{"uid": "a"}] * 20000}})):
        patch(what, "strategic", body, 200, 400, 413, 422)
    expect("after", ask(t, "DELETE", f"{CONFIGMAPS}/{name}"), 200)


def queries(t):
    """Selectors, lists and watches with parameters nobody means."""
    get = lambda what, query, *allowed: expect(what, ask(t, "GET", CONFIGMAPS + "?" + query, seconds=5), *allowed)
    get("selector wide", "labelSelector=" + ",".join(f"a{i}" for i in range(2000)), 200, 400, 414)
    get("selector in", "labelSelector=a%20in%20(" + ",".join(f"b{i}" for i in range(2000)) + ")", 200, 400, 414)
    get("selector long", "labelSelector=" + "a" * 60000, 400, 414, 431)
    for bad in ("a%20in%20((((", "a%20in%20(", "!!!!a", "a%3D%3D%3Db", ",,,,", "a%00b", "%ff%fe", "a%20notin", "%"):
        get(f"selector {bad}", "labelSelector=" + bad, 400)
        get(f"field selector {bad}", "fieldSelector=" + bad, 400, *([200] if bad[0] == "," else []))
    for bad in ("limit=-1", "limit=99999999999999999999", "limit=a", "continue=garbage", "continue=" + "A" * 12000, "resourceVersion=abc", "resourceVersion=-1",
                "resourceVersionMatch=Sometimes", "resourceVersionMatch=Exact", "resourceVersion=99999999999999999999", "continue=a&resourceVersion=1"):
        get(bad[:40], bad, *(([200] if bad.startswith("limit") else []) + [400, 410, 422, 504]))
    for bad in ("resourceVersion=x", "resourceVersion=-4", "sendInitialEvents=true", "timeoutSeconds=x", "timeoutSeconds=99999999999999999999", "sendInitialEvents=true&resourceVersionMatch=Exact"):
        get("watch " + bad, "watch=1&" + bad, 400, 422)
    for odd in ("timeoutSeconds=-1", "timeoutSeconds=0", "timeoutSeconds=999999999", "allowWatchBookmarks=maybe", "resourceVersion=18446744073709551615", "resourceVersion=9000000000000000000", "limit=1&continue=x"):
        with t.tls("http/1.1") as s:
            send(s, head("GET", f"{CONFIGMAPS}?watch=1&{odd}"))
            s.settimeout(0.5)
            try:
                answer = s.recv(4096)
            except OSError:
                answer = b""
            if answer and not answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 400", b"HTTP/1.1 504", b"HTTP/1.1 410")):
                raise SystemExit(f"watch {odd}: {answer[:200]}")
    for path in ("/api/v1/" + "a/" * 5000, "/%00", "/%", "/api/v1/namespaces/%2e%2e/configmaps", "//api/v1", "/api/v1/namespaces/" + "x" * 8000 + "/configmaps/y", "*", "/apis/%ff/v1/x", "/api/v1/namespaces/default/pods/../../x"):
        expect("path " + path[:40], ask(t, "GET", path), 200, 400, 403, 404, 405, 414)
    for method in ("TRACE", "CONNECT", "PRI", "X" * 31, "X" * 4000, "gEt"):
        expect("method " + method[:10], ask(t, method, CONFIGMAPS), 400, 404, 405, 501, 431, 0)


def http1(t):
    """Framing, header bombs, upgrades, pipelining."""
    raw = [
        head("GET", "/api/v1/namespaces/default/pods/x/exec?command=sh", Upgrade="websocket", Connection="Upgrade", Sec_WebSocket_Version="13", Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ=="),
        head("GET", CONFIGMAPS + "?watch=1&timeoutSeconds=1", Upgrade="websocket", Connection="Upgrade, close", Sec_WebSocket_Version="13", Sec_WebSocket_Key="x"),
        head("GET", "/readyz", Upgrade="h2c", Connection="Upgrade, HTTP2-Settings", HTTP2_Settings="AAMAAABkAAQAAP__"),
        head("POST", CONFIGMAPS, Transfer_Encoding="chunked") + b"ffffffffffffffffff\r\n", head("POST", CONFIGMAPS, Transfer_Encoding="chunked") + b"-1\r\n\r\n",
        head("POST", CONFIGMAPS, Transfer_Encoding="chunked") + b"5;" + b"e" * 200000 + b"\r\n", head("POST", CONFIGMAPS, Transfer_Encoding="chunked") + b"1\r\na" * 100000,
        head("POST", CONFIGMAPS, Transfer_Encoding="chunked") + b"0\r\n" + b"t: v\r\n" * 100000 + b"\r\n", head("POST", CONFIGMAPS, Transfer_Encoding="gzip, chunked") + b"0\r\n\r\n",
        head("POST", CONFIGMAPS, Content_Length="-5"), head("POST", CONFIGMAPS, Content_Length="1, 2") + b"ab", head("GET", "/readyz", X="a\x00b"),
        b"GET /readyz HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", b"GET /readyz HTTP/1.1\r\n\r\n", b"GET /readyz HTTP/9.9\r\nHost: x\r\n\r\n", b"GET  /readyz  HTTP/1.1\r\n\r\n",
        b"GET /readyz HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n", b"GET /readyz HTTP/1.1\nHost: x\n\n", b"\r\n" * 100000, b"GET /readyz HTTP/1.1\r\nHost: x\r\nA: " + b"a" * (2 << 20),
        b"GET /readyz HTTP/1.1\r\n" + b"".join(b"a%d: b\r\n" % i for i in range(100000)),
    ]
    for data in raw:
        with t.tls("http/1.1") as s:
            send(s, data)
            try:
                s.settimeout(1.5)
                answer = s.recv(65536)
            except OSError:
                answer = b""
            if answer.startswith(b"HTTP/1.1 101") or (answer and not answer.startswith(b"HTTP/1.")):
                raise SystemExit(f"{data[:60]}: {answer[:200]}")
    with t.tls("http/1.1") as s:  # pipelined, never read
        s.settimeout(2)
        many = head("GET", CONFIGMAPS) * 200
        for _ in range(100):
            if not send(s, many):
                break


def http2_floods(t):
    """Control frames, resets, continuations: GOAWAY or a close, never growth."""
    big = b"".join(hpack(b"x-%d" % i, b"v" * 200) for i in range(60))
    cases = {
        "settings": frame(4, 0, 0, struct.pack(">HI", 3, 100)) * 20000, "ping": frame(6, 0, 0, b"12345678") * 20000, "priority": frame(2, 0, 1, b"\0\0\0\0\x10") * 20000,
        "window 0": frame(8, 0, 0, b"\0\0\0\0"), "window over": frame(8, 0, 0, b"\x7f\xff\xff\xff") * 2,
        "continuation": frame(1, 0, 1, request_block()) + frame(9, 0, 1, big) * 200, "continuation empty": frame(1, 0, 1, request_block()) + frame(9, 0, 1) * 200000,
        "table": frame(1, 5, 1, request_block() + b"\x3f\xff\xff\xff\xff\x0f"), "index": frame(1, 5, 1, b"\xff\xff\xff\xff\x0f"), "huffman": frame(1, 5, 1, b"\0\x84\xff\xff\xff\xff\x01a"),
        "indexed bomb": frame(1, 4, 1, request_block() + b"\x40" + hpack_int(4, 7, 0) + b"x-ab" + hpack_int(3900, 7, 0) + b"v" * 3900) + b"".join(
            frame(1, 5, i, request_block() + b"\xbe" * 16000) for i in range(3, 63, 2)),
        "even stream": frame(1, 5, 2, request_block()), "data on idle": frame(0, 0, 7, b"x" * 1000), "unknown": b"".join(frame(k, 255, k, b"z" * 100) for k in range(10, 250)),
        "large frame": struct.pack(">I", 1 << 20)[1:] + b"\0\0" + struct.pack(">I", 1), "push": frame(5, 4, 1, b"\0\0\0\2" + request_block()), "padding": frame(0, 8, 1, b"\xff"),
        "self dependent": frame(1, 0x25, 1, b"\0\0\0\1\x10" + request_block()), "pseudo": frame(1, 5, 1, hpack(b":x", b"y") + request_block()),
        "empty data": frame(1, 4, 1, request_block("POST", CONFIGMAPS, ("content-type", JSON))) + frame(0, 0, 1) * 100000,
        "rapid reset": b"".join(frame(1, 5, i, request_block("GET", CONFIGMAPS)) + frame(3, 0, i, b"\0\0\0\x08") for i in range(1, 20001, 2)),
        "rapid reset post": b"".join(frame(1, 4, i, request_block("POST", CONFIGMAPS, ("content-type", JSON))) + frame(3, 0, i, b"\0\0\0\x08") for i in range(1, 20001, 2)),
        "too many streams": b"".join(frame(1, 4, i, request_block("POST", CONFIGMAPS, ("content-type", JSON))) for i in range(1, 4001, 2)),
        "watch reset": b"".join(frame(1, 5, i, request_block("GET", CONFIGMAPS + "?watch=1")) + frame(3, 0, i, b"\0\0\0\x08") for i in range(1, 2001, 2)),
    }
    for what, data in cases.items():
        with h2(t) as s:
            send(s, data)
            read_frames(s, 0.7)


def grpc(t):
    """Message frames with wrong lengths, flags and methods."""
    def call(path, payload, end=True, seconds=1.0, *more):
        with h2(t) as s:
            send(s, frame(1, 4, 1, request_block("POST", path, ("content-type", "application/grpc"), ("te", "trailers"), *more)))
            for at in range(0, max(1, len(payload)), 16000):
                send(s, frame(0, int(end and at + 16000 >= len(payload)), 1, payload[at:at + 16000]))
            return read_frames(s, seconds)
    message = lambda body, flag=0, size=None: struct.pack(">BI", flag, len(body) if size is None else size) + body
    for path in ("/gantry.bus.v1.Bus/Publish", "/gantry.bus.v1.Bus/Subscribe", "/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch", "/none/None", "/", "/gantry.peer.v1.Peer/Forward"):
        for payload in (message(b"x", 1), message(b"x", 7), message(b"x", 0, 0xFFFFFFFF), message(b"", 0, 100), b"\0", message(b"\xff" * 1000), message(b"\x0a\xff\xff\xff\xff\x7f"),
                        message(b"") * 5000, b""):
            call(path, payload, True, 0.15)
    call("/gantry.bus.v1.Bus/Publish", message(b"a" * (1 << 20), 0, 0x7FFFFFFF), False)
    call("/gantry.bus.v1.Bus/Publish", b"", True, 0.3, ("grpc-timeout", "99999999999999H"))
    call("/gantry.bus.v1.Bus/Publish", b"", True, 0.3, ("grpc-timeout", "-1n"))
    call("/gantry.bus.v1.Bus/Publish", b"", True, 0.3, ("grpc-encoding", "gzip"))


def foreign_certificate(folder):
    run = lambda *words: subprocess.run(words, check=True, cwd=folder, capture_output=True)
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=gantry", "-days", "2")
    run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "foreign.key", "-out", "foreign.csr", "-subj", "/O=system:masters/CN=admin")
    run("openssl", "x509", "-req", "-in", "foreign.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-out", "foreign.crt", "-days", "1")
    return folder + "/foreign"


def identities(t):
    """No certificate, one of a foreign CA, and what such a client may make the server keep."""
    with tempfile.TemporaryDirectory() as folder:
        foreign = foreign_certificate(folder)
        expect("no certificate", ask(t, "GET", CONFIGMAPS, certificate=None), 401)
        expect("foreign certificate", ask(t, "GET", CONFIGMAPS, certificate=foreign), 401, 0)
        expect("foreign member page", ask(t, "GET", "/gantry/v1/member", certificate=foreign), 401, 0)
    # Uploads by a stranger who does not read the answer: nothing of them may be kept.
    before, open_ = t.rss(), []
    for _ in range(4):
        s = h2(t, None, struct.pack(">HI", 4, 0))
        open_.append(s)
        s.settimeout(2)
        block = request_block("POST", CONFIGMAPS, ("content-type", JSON))
        for i in range(1, 200, 2):
            send(s, frame(1, 4, i, block))
        for _ in range(15):
            for i in range(1, 200, 2):
                if not send(s, frame(0, 0, i, b" " * 16000)):
                    break
    time.sleep(0.5)
    grew = t.rss() - before
    for s in open_:
        s.close()
    if grew > 96 << 20:
        raise SystemExit(f"strangers' uploads: {grew >> 20} MiB kept")


def tls_garbage(t):
    """Bytes after the handshake that are no records; half handshakes; renegotiation."""
    for garbage in (os.urandom(4000), b"\x16\x03\x03\x00\x04\x00\x00\x00\x00", b"\x17\x03\x03\x40\x00" + b"a" * 16384, b"\x15\x03\x03\x00\x02\x02\x28", b"\x14\x03\x03\x00\x01\x01" * 1000):
        s = t.tls("http/1.1")
        raw = socket.socket(fileno=s.detach())
        send(raw, garbage)
        receive(raw, 1)
        raw.close()
    words = ["openssl", "s_client", "-connect", f"{t.host}:{t.port}", "-tls1_2", "-CAfile", t.cluster + "/ca.crt"]
    subprocess.run(words, input=b"R\nR\nR\n", capture_output=True, timeout=20)


def idle_connections(t):
    """Thousands that say nothing, half a handshake, half a request; others are served and all are let go of."""
    before, held = t.fds(), []
    try:
        for i in range(min(3000, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 200)):
            s = socket.socket()
            s.setblocking(False)
            try:
                s.connect((t.host, t.port))
            except BlockingIOError:
                pass
            held.append(s)
            if i % 100 == 0:
                time.sleep(0.02)
        for s in held[::3]:
            try:
                s.send(b"\x16\x03\x01\x02\x00\x01")
            except OSError:
                pass
        slow = [t.tls("http/1.1") for _ in range(50)]
        for s in slow:
            send(s, b"GET /readyz HTTP/1.1\r\nHost: ")
        until = time.monotonic() + 20
        while time.monotonic() < until and t.fds() > before + 20:
            for s in slow:
                send(s, b"x")
            time.sleep(0.5)
        for s in slow:
            s.close()
        if t.fds() > before + 20:
            raise SystemExit(f"idle connections: {t.fds()} descriptors, {before} before")
    finally:
        for s in held:
            s.close()


def slow_readers(t):
    """Clients that ask for much and read nothing."""
    big = json.dumps(config_map("attack-big", {"a": "x" * 900000})).encode()
    ask(t, "DELETE", f"{CONFIGMAPS}/attack-big")
    expect("create", ask(t, "POST", CONFIGMAPS, big), 201)
    held = []
    for _ in range(4):
        s = h2(t, "admin", struct.pack(">HI", 4, 0))
        for i in range(1, 200, 2):
            send(s, frame(1, 5, i, request_block("GET", CONFIGMAPS)))
        held.append(s)
    time.sleep(2)
    for s in held:
        s.close()
    expect("delete", ask(t, "DELETE", f"{CONFIGMAPS}/attack-big"), 200)


ATTACKS = [bodies, patches, queries, http1, http2_floods, grpc, identities, tls_garbage, slow_readers, idle_connections]


class Probe(threading.Thread):
    """A client like any other; it must be answered all the time."""

    def __init__(self, target):
        super().__init__(daemon=True)
        self.target, self.over, self.longest, self.problem, self.most = target, threading.Event(), 0.0, None, 0

    def run(self):
        while not self.over.wait(0.1):
            began = time.monotonic()
            try:
                status, body = ask(self.target, "GET", "/api/v1/namespaces/default")
                if status != 200:
                    self.problem = f"{status} {body[:200]}"
            except OSError as problem:
                self.problem = str(problem)
            self.longest = max(self.longest, time.monotonic() - began)
            self.most = max(self.most, self.target.rss())


def main():
    cluster, host, port, pid = sys.argv[1:5]
    target = Target(cluster, host, int(port), int(pid))
    bad = []
    for attack in ATTACKS:
        if sys.argv[5:] and attack.__name__ not in sys.argv[5:]:
            continue
        before, began, probe = target.rss(), time.monotonic(), Probe(target)
        probe.start()
        try:
            attack(target)
        except SystemExit as problem:
            bad.append(str(problem))
        probe.over.set()
        probe.join(TIMEOUT_S * 2)
        took = time.monotonic() - began
        print(f"{attack.__name__}: {took:.1f} s, others waited at most {probe.longest:.2f} s, "
              f"memory {before >> 20} MiB, at most {probe.most >> 20}, then {target.rss() >> 20}", flush=True)
        if probe.problem:
            bad.append(f"{attack.__name__}: others were refused: {probe.problem}")
        if probe.longest > PROBE_S:
            bad.append(f"{attack.__name__}: another client waited {probe.longest:.1f} s")
        if probe.most > before + GROWTH_BYTES:
            bad.append(f"{attack.__name__}: memory went from {before >> 20} to {probe.most >> 20} MiB")
    if bad:
        raise SystemExit("\n".join(bad))


main()
