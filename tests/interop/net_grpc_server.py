#!/usr/bin/python3
"""test.Echo served by grpcio on a unix socket and a port; runs the given client against both."""
import subprocess
import sys
import tempfile
import threading
from concurrent import futures

import grpc


def unary(request, context):
    if request == b"fail":
        context.abort(grpc.StatusCode.NOT_FOUND, "100% nicht da: \u00e4\n")
    return request


def collect(requests, context):
    return b"".join(requests)


def repeat(request, context):
    for _ in range(1000):
        yield request


def chat(requests, context):
    yield from requests


def slow(request, context):
    done = threading.Event()
    context.add_callback(done.set)
    done.wait(10)
    return b""


METHODS = {
    "Unary": grpc.unary_unary_rpc_method_handler(unary),
    "Collect": grpc.stream_unary_rpc_method_handler(collect),
    "Repeat": grpc.unary_stream_rpc_method_handler(repeat),
    "Chat": grpc.stream_stream_rpc_method_handler(chat),
    "Slow": grpc.unary_unary_rpc_method_handler(slow),
}


def main():
    server = grpc.server(futures.ThreadPoolExecutor(8))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Echo", METHODS),))
    folder = tempfile.mkdtemp()
    port = server.add_insecure_port("127.0.0.1:0")
    server.add_insecure_port("unix:%s/s" % folder)
    server.start()
    bad = 0
    for address in ("tcp:127.0.0.1:%d" % port, "unix:%s/s" % folder):
        print("client on " + address.split(":")[0], flush=True)
        bad += subprocess.run([sys.argv[1], address], timeout=60, check=False).returncode
    server.stop(None)
    return bad


sys.exit(main() != 0)
