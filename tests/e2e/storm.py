"""Creates ConfigMaps as fast as it can over several connections, retrying on every member until each is
acknowledged; or checks, on one member, that all acknowledged ones are there.

storm.py CLUSTER PORTS NAMESPACE COUNT          create; prints progress, the longest pause, the names
storm.py CLUSTER PORTS NAMESPACE --check M FILE  compare FILE's names with a list from member M alone
"""
import http.client
import json
import ssl
import sys
import threading
import time
import uuid

THREADS = 8
PAUSE_MAX_S = 3.0
DEADLINE_S = 60.0


def context(cluster):
    tls = ssl.create_default_context(cafile=cluster + "/ca.crt")
    tls.load_cert_chain(cluster + "/admin.crt", cluster + "/admin.key")
    return tls


class Api:
    """One connection at a time, to one member after the other."""

    def __init__(self, tls, ports):
        self.tls, self.ports, self.at, self.conn = tls, ports, 0, None

    def request(self, method, path, body=None, headers=None):
        if self.conn is None:
            self.conn = http.client.HTTPSConnection("127.0.0.1", self.ports[self.at], context=self.tls, timeout=2)
        try:
            self.conn.request(method, path, body, {"Content-Type": "application/json", **(headers or {})})
            answer = self.conn.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self.fail_over()
            raise

    def fail_over(self):
        if self.conn is not None:
            self.conn.close()
        self.conn, self.at = None, (self.at + 1) % len(self.ports)


class Storm:
    def __init__(self, cluster, ports, namespace, count):
        self.tls, self.ports = context(cluster), ports
        self.path = f"/api/v1/namespaces/{namespace}/configmaps"
        self.left = list(range(count))
        self.names, self.lock = [], threading.Lock()
        self.last_ack, self.longest = time.monotonic(), 0.0
        self.broken = []

    def acknowledged(self, name):
        with self.lock:
            now = time.monotonic()
            self.longest = max(self.longest, now - self.last_ack)
            self.last_ack = now
            self.names.append(name)
            if len(self.names) % 100 == 0:
                print(f"acknowledged {len(self.names)}", flush=True)

    def create(self, api, number):
        """Every third one has a generated name, with a request id so that a retry makes no twin."""
        metadata = {"generateName": f"gen-{number}-"} if number % 3 == 0 else {"name": f"cm-{number}"}
        body = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"n": str(number)}})
        headers = {"Gantry-Request-Id": str(uuid.uuid4())}
        until = time.monotonic() + DEADLINE_S
        while time.monotonic() < until:
            try:
                status, answer = api.request("POST", self.path, body, headers)
            except (OSError, http.client.HTTPException):
                continue
            if status == 201:
                return self.acknowledged(json.loads(answer)["metadata"]["name"])
            if status == 409 and "name" in metadata:
                return self.acknowledged(metadata["name"])
            if status not in (429, 500, 503, 504):
                raise SystemExit(f"create {number}: {status} {answer[:300]}")
            api.fail_over()
            time.sleep(0.02)
        raise SystemExit(f"create {number}: no acknowledgement in {DEADLINE_S} s")

    def work(self, at):
        api = Api(self.tls, self.ports)
        api.at = at % len(self.ports)
        try:
            while True:
                with self.lock:
                    if not self.left:
                        return
                    number = self.left.pop()
                self.create(api, number)
        except SystemExit as problem:
            self.broken.append(str(problem))

    def run(self):
        began = time.monotonic()
        threads = [threading.Thread(target=self.work, args=(i,)) for i in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.monotonic() - began
        print("names " + json.dumps(self.names))
        print(f"figure storm created={len(self.names)} seconds={took:.2f} longest_pause_s={self.longest:.2f}")
        if self.broken:
            raise SystemExit("; ".join(self.broken[:3]))
        if self.longest > PAUSE_MAX_S:
            raise SystemExit(f"writes paused for {self.longest:.2f} s, more than {PAUSE_MAX_S}")


def check(cluster, port, namespace, path):
    api = Api(context(cluster), [port])
    with open(path) as lines:
        wanted = next(json.loads(line[6:]) for line in lines if line.startswith("names "))
    # resourceVersion=0: this member's own state, not the leader's.
    status, answer = api.request("GET", f"/api/v1/namespaces/{namespace}/configmaps?resourceVersion=0")
    if status != 200:
        raise SystemExit(f"list: {status} {answer[:300]}")
    there = [i["metadata"]["name"] for i in json.loads(answer)["items"] if i["metadata"]["name"] != "kube-root-ca.crt"]
    missing = sorted(set(wanted) - set(there))
    twins = sorted(set(there) - set(wanted))
    if missing or twins or len(there) != len(set(there)):
        raise SystemExit(f"missing {missing[:5]} ({len(missing)}), not acknowledged but there {twins[:5]} ({len(twins)})")
    print(f"port {port}: {len(there)} there, none missing, no twin")


def main():
    cluster, ports_file, namespace = sys.argv[1:4]
    with open(ports_file) as text:
        ports = [int(word) for word in text.read().split()]
    if sys.argv[4] == "--check":
        check(cluster, ports[int(sys.argv[5][1:]) - 1], namespace, sys.argv[6])
    else:
        Storm(cluster, ports, namespace, int(sys.argv[4])).run()


main()
