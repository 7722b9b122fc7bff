"""Throws garbage at one listener: garbage.py CLUSTER HOST PORT KIND, or CLUSTER unix FOLDER raft.

Everything is drawn from a fixed seed. The test is that the other side answers or closes, and lives.
"""
import os
import random
import socket
import ssl
import struct
import sys

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


def over_unix(folder, rng):
    count = 0
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        for _ in range(ROUNDS):
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(TIMEOUT_S)
            try:
                s.connect(path)
            except OSError:
                continue
            throw(s, rng.choice([rng.randbytes(rng.randrange(1, 4096)), b"\xff" * 64, struct.pack("<QQQ", 1, 1, 1 << 60)]))
            count += 1
    return count


def main():
    cluster, host, port, kind = sys.argv[1:5]
    rng = random.Random(20260101)
    count = over_unix(port, rng) if host == "unix" else over_tcp(cluster, host, int(port), rng)
    if count == 0:
        raise SystemExit(f"{kind}: nothing was thrown")
    print(f"{kind} {host} {port}: {count} pieces of garbage")


main()
