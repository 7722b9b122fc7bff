"""gantry.bus.v1 with the stock grpcio, from our .proto: bus.py CLUSTER PORTS basics|scheduling NAME|deliver N."""
import json
import os
import queue
import sys
import threading
import time

import bus_pb2
import grpc

DEADLINE_S = 60


class Bus:
    """Tries every member until one serves the call."""

    def __init__(self, cluster, ports):
        with open(cluster + "/ca.crt", "rb") as ca, open(cluster + "/admin.crt", "rb") as crt, open(cluster + "/admin.key", "rb") as key:
            credentials = grpc.ssl_channel_credentials(ca.read(), key.read(), crt.read())
        self.channels = [grpc.secure_channel(f"127.0.0.1:{port}", credentials) for port in ports]
        self.at = 0

    def call(self, method, requests, timeout):
        kind = {"Publish": bus_pb2.PublishResponse, "Subscribe": bus_pb2.SubscribeResponse}[method]
        stub = self.channels[self.at].stream_stream(
            f"/gantry.bus.v1.Bus/{method}", request_serializer=lambda m: m.SerializeToString(), response_deserializer=kind.FromString)
        return stub(requests, timeout=timeout)

    def next_member(self):
        self.at = (self.at + 1) % len(self.channels)


def stream(items):
    """A request iterator that can be fed while the call is open; None ends it."""
    while True:
        item = items.get()
        if item is None:
            return
        yield item


def publish(bus, topic, bodies, producer="", sequence=0):
    until = time.monotonic() + DEADLINE_S
    while True:
        try:
            request = bus_pb2.PublishRequest(topic=topic, bodies=bodies, producer=producer, sequence=sequence)
            return [r.sequence for r in bus.call("Publish", iter([request]), 5)][0]
        except grpc.RpcError as problem:
            if problem.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED) or time.monotonic() > until:
                raise
            bus.next_member()
            time.sleep(0.1)


def start(topic, channel, credit, timeout_ms=0, latest=False):
    return bus_pb2.SubscribeRequest(start=bus_pb2.SubscribeStart(
        topic=topic, channel=channel, credit=credit, ack_timeout_ms=timeout_ms,
        **{"from": bus_pb2.SubscribeStart.LATEST if latest else bus_pb2.SubscribeStart.EARLIEST}))


def subscribe(bus, first, handle, until):
    """Calls handle(delivery, send) until it returns True; goes on with another member when one is lost."""
    while time.monotonic() < until:
        items = queue.Queue()
        items.put(first)
        call = bus.call("Subscribe", stream(items), max(0.1, until - time.monotonic()))
        try:
            for response in call:
                for delivery in response.deliveries:
                    if handle(delivery, items.put):
                        items.put(None)
                        call.cancel()
                        return True
        except grpc.RpcError as problem:
            items.put(None)
            if problem.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED):
                raise
            bus.next_member()
            time.sleep(0.1)
    return False


def ack(sequence):
    return bus_pb2.SubscribeRequest(ack=bus_pb2.SubscribeAck(sequences=[sequence]))


def credit(n):
    return bus_pb2.SubscribeRequest(credit=bus_pb2.SubscribeCredit(messages=n))


def basics(bus):
    """Deduplication, credit, requeue, ack timeout, and errors by their codes."""
    topic = f"basics-{time.time_ns()}"
    first = publish(bus, topic, [b"a", b"b"], "p", 1)
    assert publish(bus, topic, [b"a", b"b"], "p", 1) in (0, first), "a retry was published again"
    publish(bus, topic, [b"c"], "p", 3)
    seen = []

    def handle(delivery, send):
        seen.append((bytes(delivery.body), delivery.attempt))
        if seen[-1] == (b"a", 1):
            send(bus_pb2.SubscribeRequest(requeue=bus_pb2.SubscribeRequeue(sequence=delivery.sequence, delay_ms=50)))
        elif seen[-1] == (b"b", 1):
            pass  # left to its ack timeout
        else:
            send(ack(delivery.sequence))
        send(credit(1))
        return len(seen) == 5

    assert subscribe(bus, start(topic, "c", 1, 300), handle, time.monotonic() + 20), f"got {seen}"
    assert sorted(seen) == [(b"a", 1), (b"a", 2), (b"b", 1), (b"b", 2), (b"c", 1)], seen
    for request in (start("no/slash", "c", 1), start(topic, "c", 9999), ack(1)):
        try:
            list(bus.call("Subscribe", iter([request]), 5))
            raise SystemExit(f"accepted: {request}")
        except grpc.RpcError as problem:
            assert problem.code() == grpc.StatusCode.INVALID_ARGUMENT, problem
    missing = bus.channels[bus.at].unary_unary("/gantry.bus.v1.Bus/None", request_serializer=bytes, response_deserializer=bytes)
    try:
        missing(b"", timeout=5)
        raise SystemExit("a method that is not there was served")
    except grpc.RpcError as problem:
        assert problem.code() == grpc.StatusCode.UNIMPLEMENTED, problem
    health = bus.channels[bus.at].unary_unary("/grpc.health.v1.Health/Check", request_serializer=bytes, response_deserializer=bytes)
    assert health(b"", timeout=5) == b"\x08\x01"
    print("basics ok")


def scheduling(bus, name):
    """Every step of a Deployment's pods is there, from the scheduler, the history and an agent; and a queue sample."""
    wanted = {"created", "bound", "scheduled", "started"}
    steps = {}

    def handle(delivery, send):
        event = json.loads(delivery.body)
        if event.get("name", "").startswith(name + "-"):
            steps.setdefault(event["name"], set()).add(event["step"])
        send(ack(delivery.sequence))
        send(credit(1))
        return len(steps) >= 2 and all(wanted <= s for s in steps.values())

    if not subscribe(bus, start("cluster.scheduling", "e2e#ephemeral", 1000), handle, time.monotonic() + 20):
        raise SystemExit(f"steps seen: {steps}")
    sources = set()

    def sample(delivery, send):
        event = json.loads(delivery.body)
        assert event["queue"] and event["depth"] >= 0, event
        sources.add(event["source"].split("/")[0])
        send(ack(delivery.sequence))
        send(credit(1))
        return any(s.startswith("node-") for s in sources) and any(s.startswith("m") for s in sources)

    if not subscribe(bus, start("cluster.queue", "e2e#ephemeral", 1000), sample, time.monotonic() + 20):
        raise SystemExit(f"queue samples only from {sources}")
    print("scheduling ok", {k: sorted(v) for k, v in steps.items()})


def deliver(bus, publisher, count):
    topic = f"deliver-{time.time_ns()}"

    def produce():
        for i in range(1, count + 1):
            publish(publisher, topic, [str(i).encode()], "producer", i)

    thread = threading.Thread(target=produce)
    thread.start()
    times = {}

    def handle(delivery, send):
        body = int(delivery.body)
        times[body] = times.get(body, 0) + 1
        send(ack(delivery.sequence))
        send(credit(1))
        if len(times) % 100 == 0:
            print(f"delivered {len(times)}", flush=True)
        return len(times) == count

    complete = subscribe(bus, start(topic, "c", 50, 2000), handle, time.monotonic() + DEADLINE_S)
    thread.join()
    if not complete:
        raise SystemExit(f"{count - len(times)} of {count} were never delivered: {sorted(set(range(1, count + 1)) - set(times))[:10]}")
    print(f"figure deliver messages={count} redelivered={sum(times.values()) - count}")


def main():
    cluster, ports_file, verb = sys.argv[1:4]
    with open(ports_file) as text:
        ports = [int(word) for word in text.read().split()]
    if verb == "basics":
        basics(Bus(cluster, ports))
    elif verb == "scheduling":
        scheduling(Bus(cluster, ports), sys.argv[4])
    else:
        deliver(Bus(cluster, ports), Bus(cluster, ports), int(sys.argv[4]))


main()
# Python's own end collects grpcio's calls, and one whose thread was stopped with its lock in hand is waited for for ever.
sys.stdout.flush()
os._exit(0)
