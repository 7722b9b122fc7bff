#!/usr/bin/python3
"""A stock gRPC client (grpcio) against our server: net_server's address is the argument."""
import sys
import threading

import grpc

NONE = dict(request_serializer=None, response_deserializer=None)


def code_of(call):
    try:
        call()
    except grpc.RpcError as e:
        return e.code(), e.details()
    return grpc.StatusCode.OK, ""


def check(name, ok):
    print(("ok   " if ok else "FAIL ") + name)
    if not ok:
        sys.exit(1)


def main():
    options = [("grpc.max_receive_message_length", 64 << 20), ("grpc.max_send_message_length", 64 << 20)]
    channel = grpc.insecure_channel(sys.argv[1], options=options)
    unary = channel.unary_unary("/test.Echo/Unary", **NONE)
    check("unary", unary(b"hello", timeout=5) == b"hello")
    check("empty message", unary(b"", timeout=5) == b"")
    big = bytes(range(256)) * 12000
    check("3 MB message", unary(big, timeout=5) == big)
    check("status and message", code_of(lambda: unary(b"fail", timeout=5)) ==
          (grpc.StatusCode.NOT_FOUND, "100% nicht da: \u00e4\n"))
    check("too large", code_of(lambda: unary(b"x" * (5 << 20), timeout=5))[0] == grpc.StatusCode.RESOURCE_EXHAUSTED)
    collect = channel.stream_unary("/test.Echo/Collect", **NONE)
    check("client stream", collect(iter([b"a" * 1000] * 500), timeout=5) == b"a" * 500000)
    check("client stream, no message", collect(iter([]), timeout=5) == b"")
    repeat = channel.unary_stream("/test.Echo/Repeat", **NONE)
    check("server stream", [len(m) for m in repeat(b"r" * 20000, timeout=10)] == [20000] * 1000)
    chat = channel.stream_stream("/test.Echo/Chat", **NONE)
    check("bidi", list(chat(iter([b"m%d" % i for i in range(200)]), timeout=5)) == [b"m%d" % i for i in range(200)])
    slow = channel.unary_unary("/test.Echo/Slow", **NONE)
    check("deadline", code_of(lambda: slow(b"", timeout=0.3))[0] == grpc.StatusCode.DEADLINE_EXCEEDED)
    future = slow.future(b"")
    threading.Timer(0.1, future.cancel).start()
    try:
        future.result()
        cancelled = False
    except grpc.FutureCancelledError:
        cancelled = True
    check("cancel", cancelled)
    nothing = channel.unary_unary("/test.Echo/Nothing", **NONE)
    check("unknown method", code_of(lambda: nothing(b"", timeout=5))[0] == grpc.StatusCode.UNIMPLEMENTED)
    nobody = channel.unary_unary("/test.Nobody/Unary", **NONE)
    check("unknown service", code_of(lambda: nobody(b"", timeout=5))[0] == grpc.StatusCode.UNIMPLEMENTED)
    zipped = lambda: unary(b"z" * 10000, timeout=5, compression=grpc.Compression.Gzip)
    check("compressed", code_of(zipped)[0] == grpc.StatusCode.UNIMPLEMENTED)
    calls = [unary.future(b"%d" % i, timeout=10) for i in range(2000)]
    check("2000 calls at once", all(c.result() == b"%d" % i for i, c in enumerate(calls)))
    health = channel.unary_unary("/grpc.health.v1.Health/Check", **NONE)
    check("health", health(b"", timeout=5) == b"\x08\x01")
    check("health, not serving", health(b"\x0a\x09test.Echo", timeout=5) == b"\x08\x02")
    check("health, unknown", code_of(lambda: health(b"\x0a\x01x", timeout=5))[0] == grpc.StatusCode.NOT_FOUND)
    watch = channel.unary_stream("/grpc.health.v1.Health/Watch", **NONE)(b"", timeout=5)
    check("health watch", next(watch) == b"\x08\x01")
    watch.cancel()
    channel.close()


main()
