"""One write after the other through one member, on one connection, until told to stop; then every
acknowledged name must be in the lists of the members given.

stop.py CLUSTER ADDRESS PREFIX          prints "ready", writes until a line on stdin, then
                                        "count N failed N longest MS at MS" (at: of the longest pause)
stop.py CLUSTER ADDRESS PREFIX --count  how many of the prefix that member has
"""
import http.client
import json
import ssl
import sys
import threading
import time

PATH = "/api/v1/namespaces/default/configmaps"


def connect(cluster, address):
    tls = ssl.create_default_context(cafile=cluster + "/ca.crt")
    tls.load_cert_chain(cluster + "/admin.crt", cluster + "/admin.key")
    return http.client.HTTPSConnection(address, 6443, context=tls, timeout=15)


def ask(connection, method, path, body=None):
    connection.request(method, path, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    return answer.status, answer.read()


def names(connection, prefix):
    status, answer = ask(connection, "GET", PATH)
    assert status == 200, answer
    return [o["metadata"]["name"] for o in json.loads(answer)["items"] if o["metadata"]["name"].startswith(prefix)]


def main():
    cluster, address, prefix = sys.argv[1:4]
    connection = connect(cluster, address)
    if sys.argv[4:] == ["--count"]:
        print(len(names(connection, prefix)))
        return
    told = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.readline(), told.set()), daemon=True).start()
    count = failed = 0
    longest, at = 0.0, 0.0
    began = last = time.monotonic()
    while not told.is_set():
        name = f"{prefix}-{count + failed}"
        body = json.dumps({"metadata": {"name": name}, "data": {"a": "b"}})
        status, answer = ask(connection, "POST", PATH, body)
        now = time.monotonic()
        if status == 201:
            count += 1
        else:
            failed += 1
            print(status, answer.decode(), file=sys.stderr)
        if count + failed == 50:
            print("ready", flush=True)
            longest = 0.0
        if now - last > longest:
            longest, at = now - last, now - began
        last = now
    print(f"count {count} failed {failed} longest {longest * 1000:.0f} at {at * 1000:.0f}", flush=True)


main()
