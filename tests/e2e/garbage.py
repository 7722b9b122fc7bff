"""Throws garbage at one listener: garbage.py CLUSTER HOST PORT KIND.

KIND api, peer, kubelet: HTTP behind TLS; raft: the links between members. Everything is drawn from a
fixed seed. The test is that the other side answers or closes, and lives; of a link, that it closes.
"""
import random
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time

ROUNDS = 40
TIMEOUT_S = 3


def connect(host, port):
    s = socket.create_connection((host, port), timeout=TIMEOUT_S)
    s.settimeout(TIMEOUT_S)
    return s


def tls_context(cluster, alpn):
    tls = ssl.create_default_context(cafile=cluster + "/ca.crt")
    tls.check_hostname = False
    tls.load_cert_chain(cluster + "/admin.crt", cluster + "/admin.key")
    tls.set_alpn_protocols(alpn)
    return tls


def throw(s, data):
    """Sends, half-closes where that is possible, reads until the end; any refusal is fine."""
    try:
        s.sendall(data)
        s.settimeout(0.3)
        while s.recv(65536):
            pass
    except (OSError, ssl.SSLError):
        pass
    finally:
        s.close()


def h2_frame(kind, flags, stream, payload):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def deep_json(depth):
    return b'{"apiVersion":"v1","kind":"ConfigMap","metadata":' + b'{"a":' * depth + b"1" + b"}" * depth + b"}"


def deep_protobuf(depth):
    body = b""
    for _ in range(depth):
        body = b"\x0a" + varint(len(body)) + body
    return b"k8s\0" + body


def varint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def post(path, body, content_type):
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def http_cases(rng):
    good = post("/api/v1/namespaces/default/configmaps", deep_json(3), "application/json")
    yield from (good[:cut] for cut in range(1, len(good), max(1, len(good) // 12)))
    yield post("/api/v1/namespaces/default/configmaps", deep_json(20000), "application/json")
    yield post("/api/v1/namespaces/default/configmaps", deep_protobuf(3000), "application/vnd.kubernetes.protobuf")
    yield post("/api/v1/namespaces/default/configmaps", b"a: &a [*a]\n" + b"- " * 20000, "application/yaml")
    yield post("/api/v1/namespaces/default/configmaps", b"x" * (4 << 20), "application/json")
    yield b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n"
    yield b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    yield b"GET /" + b"a" * (1 << 20) + b" HTTP/1.1\r\n\r\n"
    yield b"GET / HTTP/1.1\r\n" + b"".join(b"h%d: v\r\n" % i for i in range(5000)) + b"\r\n"
    for _ in range(ROUNDS):
        yield rng.randbytes(rng.randrange(1, 4096))


def h2_cases(rng):
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    yield preface + h2_frame(4, 0, 0, b"") + b"".join(h2_frame(6, 0, 0, rng.randbytes(8)) for _ in range(3000))
    yield preface + h2_frame(4, 0, 0, b"") * 3000
    yield preface + h2_frame(1, 4, 1, rng.randbytes(200))
    yield preface + h2_frame(4, 0, 0, b"") + b"".join(h2_frame(3, 0, i, struct.pack(">I", 8)) for i in range(1, 999, 2))
    for _ in range(ROUNDS):
        frames = b"".join(
            h2_frame(rng.randrange(12), rng.randrange(256), rng.randrange(9), rng.randbytes(rng.randrange(64)))
            for _ in range(rng.randrange(1, 20)))
        yield preface + frames


def over_tcp(cluster, host, port, rng):
    count = 0
    for _ in range(ROUNDS):
        throw(connect(host, port), rng.randbytes(rng.randrange(1, 2048)))
        count += 1
    hello = b"\x16\x03\x01" + struct.pack(">H", 512)
    throw(connect(host, port), hello + rng.randbytes(512))
    for alpn, cases in ((["http/1.1"], http_cases), (["h2"], h2_cases)):
        tls = tls_context(cluster, alpn)
        for data in cases(rng):
            count += 1
            try:
                s = tls.wrap_socket(connect(host, port), server_hostname=host)
            except (OSError, ssl.SSLError):
                continue
            throw(s, data)
    return count


# ---- the links between members (store/raft_wire.h) ----

RAFT_ALPN = "gantry-raft"
HELLO, PING, PONG = 64, 65, 66
APPEND, APPEND_RESULT, VOTE, VOTE_RESULT, INSTALL, TIMEOUT_NOW = range(1, 7)
CLOSES_S = 10  # more than LINKS_HANDSHAKE_MS


def raft_frame(kind, body, group=0, version=1, reserved=0, length=None):
    return struct.pack("<IBBBB", len(body) if length is None else length, group, kind, version, reserved) + body


def raft_hello(kind, sender, receiver, name):
    return raft_frame(HELLO, struct.pack("<BQQB", kind, sender, receiver, len(name)) + name.encode())


def member_context(cert=None, key=None, alpn=RAFT_ALPN):
    tls = ssl.create_default_context()
    tls.check_hostname = False
    tls.verify_mode = ssl.CERT_NONE
    if cert is not None:
        tls.load_cert_chain(cert, key)
    if alpn is not None:
        tls.set_alpn_protocols([alpn])
    return tls


def client_hello(tls):
    """The first flight of a handshake, as bytes."""
    out = ssl.MemoryBIO()
    try:
        tls.wrap_bio(ssl.MemoryBIO(), out, server_hostname="x").do_handshake()
    except ssl.SSLWantReadError:
        pass
    return out.read()


def self_signed(folder, name):
    """A certificate that claims to be a member's, by nobody."""
    cert, key = folder + "/tls.crt", folder + "/tls.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
         "-subj", "/CN=" + name, "-addext", f"subjectAltName=DNS:gantry-member-{name}", "-keyout", key, "-out", cert],
        check=True, capture_output=True)
    return cert, key


def must_close(host, port, tls, data, what):
    """Sends all of it; the other side has to end the connection, whatever it says before."""
    s = connect(host, port)
    try:
        if tls is not None:
            s = tls.wrap_socket(s, server_hostname="x")
        s.sendall(data)
        until = time.monotonic() + CLOSES_S
        s.settimeout(CLOSES_S)
        while s.recv(65536):
            if time.monotonic() > until:
                raise TimeoutError
    except TimeoutError:
        raise SystemExit(f"raft {host} {port}: still open after {what}")
    except (OSError, ssl.SSLError):
        pass
    finally:
        s.close()


def after_hello(rng):
    """What follows a good hello. Nothing that could decode: a member is trusted with what does."""
    yield "random bytes", b"\xff" + rng.randbytes(rng.randrange(64, 4096))
    for kind in (APPEND, INSTALL):
        body = rng.randbytes(rng.randrange(64, 2048))
        yield f"a body of noise, type {kind}", raft_frame(kind, body, group=rng.choice([1, 2]))
    for kind in (APPEND_RESULT, VOTE, VOTE_RESULT, TIMEOUT_NOW):
        yield f"a short body, type {kind}", raft_frame(kind, rng.randbytes(5), group=1)
    yield "a body of 4 GiB", raft_frame(APPEND, b"", group=1, length=0xFFFFFFFF)
    yield "a body above the limit", raft_frame(APPEND, b"x" * 4096, group=1, length=(8 << 20) + 1)
    yield "a vote of 1 MiB", raft_frame(VOTE, b"x" * 65536, group=1, length=1 << 20)
    yield "2^32-1 entries", raft_frame(APPEND, struct.pack("<QQQQI", 1, 1, 1, 1, 0xFFFFFFFF) + b"x" * 4096, group=1)
    yield "an entry of 4 GiB", raft_frame(
        APPEND, struct.pack("<QQQQIQIB", 1, 1, 1, 1, 1, 1, 0xFFFFFFFF, 1) + b"x" * 64, group=1)
    yield "255 servers", raft_frame(INSTALL, struct.pack("<QQQQB", 1, 1, 1, 1, 255) + rng.randbytes(2000), group=1)
    yield "another version", raft_frame(PING, b"", version=9)
    yield "a reserved byte", raft_frame(PING, b"", reserved=1)
    yield "an unknown type", raft_frame(99, b"")
    yield "an unknown group", raft_frame(APPEND, b"", group=7)
    yield "a pong nobody asked for", raft_frame(PONG, b"")
    yield "a second hello", raft_hello(0, 1, 1, "m1")


def over_raft(cluster, host, port, rng):
    with open(cluster + "/cluster.conf") as lines:
        ids = {w[2]: int(w[1]) for w in (line.split() for line in lines) if w[0] == "member" and len(w) > 2}
        lines.seek(0)
        target = next(w[2] for w in (line.split() for line in lines) if w[0] == "member" and f":{host}:" in w[3])
    other, third = [name for name in sorted(ids) if name != target][:2]
    mine = [f"{cluster}/members/{other}/tls.{end}" for end in ("crt", "key")]
    cases = [(None, "noise", rng.randbytes(rng.randrange(8, 2048))) for _ in range(ROUNDS)]
    flight = client_hello(member_context())
    cases += [(None, f"{cut} bytes of a handshake", flight[:cut]) for cut in (1, 5, len(flight) // 2, len(flight) - 1)]
    cases.append((None, "a handshake and noise", flight + rng.randbytes(300)))
    hello = raft_hello(0, ids[other], ids[target], other)
    with tempfile.TemporaryDirectory() as folder:
        member = member_context(*mine)
        cases += [
            (member_context(), "no certificate", hello),
            (member_context(*self_signed(folder, other)), "a certificate of nobody's", hello),
            (member_context(cluster + "/admin.crt", cluster + "/admin.key"), "the admin's certificate", hello),
            (member_context(*mine, alpn="h2"), "another protocol", hello),
            (member_context(*mine, alpn=None), "no protocol", hello),
            (member, "a third member's name", raft_hello(0, ids[third], ids[target], third)),
            (member, "a hello for somebody else", raft_hello(0, ids[other], ids[third], other)),
            (member, "a hello of kind 200", raft_hello(200, ids[other], ids[target], other)),
            (member, "half a hello", hello[:-1]),
            (member, "a hello of 64 KiB", raft_frame(HELLO, b"x" * 65536)),
            (member, "entries before a hello", raft_frame(APPEND, rng.randbytes(64), group=1)),
        ]
        for _ in range(3):
            cases += [(member, "a hello, then " + what, hello + data) for what, data in after_hello(rng)]
            cases += [(member, "noise behind TLS", b"\xff" * 8 + rng.randbytes(rng.randrange(1, 2048)))]
    for tls, what, data in cases:
        must_close(host, port, tls, data, what)
    return len(cases)


def main():
    cluster, host, port, kind = sys.argv[1:5]
    rng = random.Random(20260101)
    over = over_raft if kind == "raft" else over_tcp
    count = over(cluster, host, int(port), rng)
    if count == 0:
        raise SystemExit(f"{kind}: nothing was thrown")
    print(f"{kind} {host} {port}: {count} pieces of garbage")


main()
