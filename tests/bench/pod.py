"""Binding 201 to Running through Gantry, beside the same CRI calls made directly, rounds interleaved.

pod.py CLUSTER PORT SOCKET NODE CGROUP_PARENT ROUNDS   (generated stubs of runtime.proto on PYTHONPATH)
Prints one line a round and, last, `medians GANTRY_MS DIRECT_MS`.
"""
import http.client
import json
import os
import ssl
import statistics
import sys
import time
import uuid

import grpc
import runtime_pb2 as cri

IMAGE = "localhost/busybox:latest"
COMMAND = ["sleep", "1000"]
NAMESPACE = "bench-pod"
DEADLINE_S = 30
SETTLE_S = 0.5


class Api:
    def __init__(self, cluster, port):
        self.tls = ssl.create_default_context(cafile=cluster + "/ca.crt")
        self.tls.load_cert_chain(cluster + "/admin.crt", cluster + "/admin.key")
        self.port = port
        self.conn = self.connect()

    def connect(self):
        return http.client.HTTPSConnection("127.0.0.1", self.port, context=self.tls, timeout=DEADLINE_S)

    def request(self, method, path, body=None, ok=(200, 201, 202)):
        self.conn.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
        answer = self.conn.getresponse()
        data = answer.read()
        if answer.status not in ok:
            raise SystemExit(f"{method} {path}: {answer.status} {data[:300]}")
        return json.loads(data)

    def watch(self, path):
        conn = self.connect()
        conn.request("GET", path)
        answer = conn.getresponse()
        while line := answer.readline():
            yield json.loads(line)


def running(pod):
    status = pod.get("status", {})
    containers = status.get("containerStatuses") or []
    return status.get("phase") == "Running" and containers and all("running" in c.get("state", {}) for c in containers)


def through_gantry(api, node, number):
    name = f"bench-{number}"
    pods = f"/api/v1/namespaces/{NAMESPACE}/pods"
    pod = api.request("POST", pods, {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {"schedulerName": "bench", "terminationGracePeriodSeconds": 0, "restartPolicy": "Never", "automountServiceAccountToken": False,
                 "containers": [{"name": "c", "image": IMAGE, "imagePullPolicy": "IfNotPresent", "command": COMMAND}]}})
    events = api.watch(f"{pods}?watch=true&fieldSelector=metadata.name={name}&resourceVersion={pod['metadata']['resourceVersion']}")
    api.request("POST", f"{pods}/{name}/binding", {
        "apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}, "target": {"apiVersion": "v1", "kind": "Node", "name": node}})
    began = time.monotonic()
    for event in events:
        if running(event["object"]):
            break
    took = time.monotonic() - began
    api.request("DELETE", f"{pods}/{name}?gracePeriodSeconds=0")
    until = time.monotonic() + DEADLINE_S
    while any(p["metadata"]["name"] == name for p in api.request("GET", pods)["items"]) and time.monotonic() < until:
        time.sleep(0.05)
    return took


class Cri:
    def __init__(self, socket):
        self.channel = grpc.insecure_channel("unix:" + socket, options=[("grpc.default_authority", "localhost")])
        self.took = {}

    def call(self, method, request, response, service="RuntimeService"):
        stub = self.channel.unary_unary(f"/runtime.v1.{service}/{method}", request_serializer=lambda m: m.SerializeToString(), response_deserializer=response.FromString)
        began = time.monotonic()
        answer = stub(request, timeout=DEADLINE_S)
        self.took.setdefault(method, []).append((time.monotonic() - began) * 1000)
        return answer


def directly(runtime, cgroup, logs):
    uid = str(uuid.uuid4())
    folder = os.path.join(logs, uid)
    os.makedirs(os.path.join(folder, "c"))
    sandbox = cri.PodSandboxConfig(
        # No uid: an agent removes what carries the uid of no pod, in the middle of a round.
        metadata=cri.PodSandboxMetadata(name="direct-" + uid, namespace=NAMESPACE), hostname="direct", log_directory=folder,
        linux=cri.LinuxPodSandboxConfig(cgroup_parent=f"{cgroup}/besteffort/pod{uid}"))
    container = cri.ContainerConfig(
        metadata=cri.ContainerMetadata(name="c"), image=cri.ImageSpec(image=IMAGE), command=COMMAND, log_path="c/0.log",
        linux=cri.LinuxContainerConfig(resources=cri.LinuxContainerResources(cpu_shares=2)))
    began = time.monotonic()
    runtime.call("ImageStatus", cri.ImageStatusRequest(image=container.image), cri.ImageStatusResponse, "ImageService")
    pod = runtime.call("RunPodSandbox", cri.RunPodSandboxRequest(config=sandbox), cri.RunPodSandboxResponse).pod_sandbox_id
    runtime.call("PodSandboxStatus", cri.PodSandboxStatusRequest(pod_sandbox_id=pod), cri.PodSandboxStatusResponse)
    made = runtime.call("CreateContainer", cri.CreateContainerRequest(pod_sandbox_id=pod, config=container, sandbox_config=sandbox), cri.CreateContainerResponse).container_id
    runtime.call("StartContainer", cri.StartContainerRequest(container_id=made), cri.StartContainerResponse)
    runtime.call("ContainerStatus", cri.ContainerStatusRequest(container_id=made), cri.ContainerStatusResponse)
    took = time.monotonic() - began
    runtime.call("StopContainer", cri.StopContainerRequest(container_id=made, timeout=0), cri.StopContainerResponse)
    runtime.call("StopPodSandbox", cri.StopPodSandboxRequest(pod_sandbox_id=pod), cri.StopPodSandboxResponse)
    runtime.call("RemovePodSandbox", cri.RemovePodSandboxRequest(pod_sandbox_id=pod), cri.RemovePodSandboxResponse)
    return took


def main():
    cluster, port, socket, node, cgroup, rounds = sys.argv[1:7]
    api, runtime = Api(cluster, int(port)), Cri(socket)
    logs = os.path.join(os.path.dirname(socket), "bench-logs")
    api.request("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}, ok=(201, 409))
    time.sleep(1)
    gantry, direct = [], []
    for number in range(int(rounds) + 1):
        # What the round before left to the kernel (network namespaces, cgroups) ends first.
        time.sleep(SETTLE_S)
        a = through_gantry(api, node, number)
        time.sleep(SETTLE_S)
        b = directly(runtime, cgroup, logs)
        print(f"  round {number}: gantry {a * 1000:.1f} ms, direct {b * 1000:.1f} ms", flush=True)
        if number > 0:  # the first warms caches
            gantry.append(a)
            direct.append(b)
    api.request("DELETE", f"/api/v1/namespaces/{NAMESPACE}")
    print("  direct by call: " + ", ".join(f"{name} {statistics.median(took):.1f}" for name, took in runtime.took.items()))
    print(f"medians {statistics.median(gantry) * 1000:.1f} {statistics.median(direct) * 1000:.1f}")


main()
