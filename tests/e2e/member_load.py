"""Creates ConfigMaps without pause while members come and go, each tried until it is acknowledged; or checks,
on one member, that every acknowledged one is there.

member_load.py CLUSTER SERVERS OUT STOP      SERVERS: a file of ADDRESS lines, read again and again; ends when
                                             STOP exists; OUT: a name a line, once acknowledged
member_load.py CLUSTER --check ADDRESS OUT   compares OUT with a list from that member alone
"""
import http.client
import json
import os
import ssl
import sys
import threading
import time

THREADS = 4
PORT = 6443


def context(cluster):
    tls = ssl.create_default_context(cafile=cluster + "/ca.crt")
    tls.load_cert_chain(cluster + "/admin.crt", cluster + "/admin.key")
    tls.check_hostname = False  # a member that moved has a certificate of where it was
    return tls


class Load:
    def __init__(self, cluster, servers, out, stop):
        self.tls, self.servers, self.stop = context(cluster), servers, stop
        self.out, self.lock = open(out, "w", encoding="ascii", buffering=1), threading.Lock()
        self.count, self.last, self.longest, self.broken = 0, time.monotonic(), 0.0, []

    def addresses(self):
        with open(self.servers, encoding="ascii") as f:
            return f.read().split()

    def acknowledged(self, name):
        with self.lock:
            now = time.monotonic()
            self.longest, self.last = max(self.longest, now - self.last), now
            self.out.write(name + "\n")
            self.count += 1

    def create(self, conn, name):
        """True: it is there. False: try again. Anything but these two breaks the test."""
        body = json.dumps({"metadata": {"name": name}, "data": {"by": name}})
        conn.request("POST", "/api/v1/namespaces/default/configmaps", body, {"Content-Type": "application/json"})
        answer = conn.getresponse()
        text = answer.read()
        if answer.status in (201, 409):  # 409: an attempt whose answer was lost
            return True
        if answer.status in (429, 500, 503, 504):
            return False
        raise AssertionError(f"{name}: {answer.status} {text[:200]}")

    def run(self, thread):
        number, turn, conn = 0, thread, None
        while not os.path.exists(self.stop):
            addresses = self.addresses()
            try:
                if conn is None:
                    address = addresses[turn % len(addresses)]
                    conn = http.client.HTTPSConnection(address, PORT, context=self.tls, timeout=3)
                name = f"load-{thread}-{number}"
                if self.create(conn, name):
                    self.acknowledged(name)
                    number += 1
                    continue
            except (OSError, http.client.HTTPException):
                pass
            except AssertionError as e:
                self.broken.append(str(e))
                return
            if conn is not None:
                conn.close()
            conn, turn = None, turn + 1
            time.sleep(0.02)


def load(cluster, servers, out, stop):
    the = Load(cluster, servers, out, stop)
    threads = [threading.Thread(target=the.run, args=(i,)) for i in range(THREADS)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    print(f"acknowledged {the.count}, longest pause {the.longest:.2f} s")
    for text in the.broken:
        print("broken:", text)
    return 1 if the.broken or the.count == 0 else 0


def check(cluster, address, out):
    conn = http.client.HTTPSConnection(address, PORT, context=context(cluster), timeout=30)
    conn.request("GET", "/api/v1/namespaces/default/configmaps")
    there = {i["metadata"]["name"] for i in json.loads(conn.getresponse().read())["items"]}
    with open(out, encoding="ascii") as f:
        names = f.read().split()
    lost = [n for n in names if n not in there]
    print(f"{address}: {len(names)} acknowledged, {len(lost)} lost {lost[:5]}")
    return 1 if lost or not names else 0


if __name__ == "__main__":
    if sys.argv[2] == "--check":
        sys.exit(check(sys.argv[1], sys.argv[3], sys.argv[4]))
    sys.exit(load(*sys.argv[1:5]))
