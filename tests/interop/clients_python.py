"""Debian's python3-kubernetes against one member: typed calls, watches, patches, the dynamic client, leader election.

usage: clients_python.py                      every check; the member is KUBECONFIG's and forgets its history in seconds
       clients_python.py candidate KIND NAME  one candidate of an election, until it is killed
"""
import datetime
import json
import logging
import os
import subprocess
import sys
import threading
import time

from kubernetes import client, config, dynamic, utils, watch
from kubernetes.client.rest import ApiException
from kubernetes.dynamic import exceptions
from kubernetes.leaderelection import electionconfig, leaderelection
from kubernetes.leaderelection.leaderelectionrecord import LeaderElectionRecord
from kubernetes.leaderelection.resourcelock.configmaplock import ConfigMapLock

NS = "clients-python"
ELECTION = "elections-python"
LEASE_S, RENEW_S, RETRY_S = 3, 2, 1  # the least that the client's rules allow
WAIT_S = 20


def wait_for(what, condition):
    """Until the condition gives something true, which is returned."""
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        got = condition()
        if got:
            return got
        time.sleep(0.05)
    raise AssertionError(f"waited {WAIT_S} s in vain for {what}")


def update(read, write):
    """Reads, changes and writes until no controller was faster."""
    def attempt():
        try:
            return write(read())
        except ApiException as e:
            equal(e.status, 409)
            return None

    return wait_for("an update without a conflict", attempt)


def equal(got, want):
    assert got == want, f"{got!r} is not {want!r}"


def refused(status, reason, call, *args, **kwargs):
    """The call fails with a Status of that code and reason, which is returned."""
    try:
        call(*args, **kwargs)
    except ApiException as e:
        equal(e.status, status)
        answer = core.api_client.deserialize(type("R", (), {"data": e.body}), "V1Status")
        equal((answer.kind, answer.status, answer.code, answer.reason), ("Status", "Failure", status, reason))
        assert answer.message, e.body
        return answer
    raise AssertionError(f"not refused with {status} {reason}")


def meta(name, **more):
    return client.V1ObjectMeta(name=name, **more)


def config_map(name, **more):
    return client.V1ConfigMap(metadata=meta(name, **more), data={"k": "v"})


def pod(name, **more):
    container = client.V1Container(
        name="c", image="i", ports=[client.V1ContainerPort(container_port=80)],
        resources=client.V1ResourceRequirements(requests={"cpu": "10m", "memory": "8Mi"}))
    return client.V1Pod(metadata=meta(name, **more), spec=client.V1PodSpec(containers=[container]))


def deployment(name, replicas):
    labels = {"app": name}
    template = client.V1PodTemplateSpec(metadata=client.V1ObjectMeta(labels=labels), spec=pod("x").spec)
    selector = client.V1LabelSelector(match_labels=labels)
    return client.V1Deployment(
        metadata=meta(name), spec=client.V1DeploymentSpec(replicas=replicas, selector=selector, template=template))


def check_discovery():
    equal(client.VersionApi().get_code().minor, "35")
    assert "v1" in client.CoreApi().get_api_versions().versions
    groups = {g.name: g.preferred_version.group_version for g in client.ApisApi().get_api_versions().groups}
    equal(groups["apps"], "apps/v1")
    names = {r.name: r for r in apps.get_api_resources().resources}
    equal((names["deployments"].kind, names["deployments"].namespaced), ("Deployment", True))
    assert "deployments/scale" in names and "watch" in names["deployments"].verbs
    for api in (core, coordination, events, client.DiscoveryV1Api(), client.AuthorizationV1Api()):
        assert api.get_api_resources().resources
    document = core.api_client.call_api("/openapi/v2", "GET", response_type="object", _return_http_data_only=True)
    assert "io.k8s.api.apps.v1.Deployment" in document["definitions"]


def typed_objects():
    """What is made in a namespace, by the name its calls have."""
    template = client.V1PodTemplateSpec(metadata=client.V1ObjectMeta(labels={"a": "b"}), spec=pod("x").spec)
    reference = client.V1ObjectReference(api_version="v1", kind="Pod", namespace=NS, name="p", uid="u")
    now = "2026-01-02T03:04:05.000006Z"
    port = client.CoreV1EndpointPort(port=80, name="http")
    return [
        (core, "config_map", config_map("o")),
        (core, "secret", client.V1Secret(metadata=meta("o"), type="Opaque", string_data={"k": "v"})),
        (core, "service", client.V1Service(metadata=meta("o"), spec=client.V1ServiceSpec(
            selector={"a": "b"}, ports=[client.V1ServicePort(port=80, target_port="http")]))),
        (core, "service_account", client.V1ServiceAccount(metadata=meta("o"))),
        (core, "endpoints", client.V1Endpoints(metadata=meta("o"), subsets=[client.V1EndpointSubset(
            addresses=[client.V1EndpointAddress(ip="10.0.0.1")], ports=[port])])),
        (core, "limit_range", client.V1LimitRange(metadata=meta("o"), spec=client.V1LimitRangeSpec(
            limits=[client.V1LimitRangeItem(type="Container", max={"cpu": "1"})]))),
        (core, "resource_quota", client.V1ResourceQuota(
            metadata=meta("o"), spec=client.V1ResourceQuotaSpec(hard={"pods": "10"}))),
        (core, "pod_template", client.V1PodTemplate(metadata=meta("o"), template=template)),
        (core, "replication_controller", client.V1ReplicationController(
            metadata=meta("o"), spec=client.V1ReplicationControllerSpec(
                replicas=1, selector={"a": "b"}, template=template))),
        (core, "pod", pod("o")),
        (core, "event", client.CoreV1Event(
            metadata=meta("o"), involved_object=reference, reason="Seen", message="m", type="Normal", count=1,
            first_timestamp="2026-01-02T03:04:05Z", last_timestamp="2026-01-02T03:04:05Z",
            source=client.V1EventSource(component="test"))),
        (events, "event", client.EventsV1Event(
            metadata=meta("o2"), regarding=reference, reason="Seen", action="Look", type="Normal", event_time=now,
            note="n", reporting_controller="example.com/test", reporting_instance="test-1")),
        (apps, "deployment", deployment("o", 1)),
        (apps, "replica_set", client.V1ReplicaSet(metadata=meta("o"), spec=client.V1ReplicaSetSpec(
            replicas=0, selector=client.V1LabelSelector(match_labels={"a": "b"}), template=template))),
        (apps, "controller_revision", client.V1ControllerRevision(metadata=meta("o"), revision=3, data={"a": 1})),
        (coordination, "lease", client.V1Lease(metadata=meta("o"), spec=client.V1LeaseSpec(
            holder_identity="me", lease_duration_seconds=15, acquire_time=now, renew_time=now))),
        (client.DiscoveryV1Api(), "endpoint_slice", client.V1EndpointSlice(
            metadata=meta("o"), address_type="IPv4", endpoints=[client.V1Endpoint(addresses=["10.0.0.1"])],
            ports=[client.DiscoveryV1EndpointPort(port=80)])),
    ]


def check_typed_kinds():
    """Create, read, list, replace, delete of every kind; the client's own models refuse a missing field."""
    for api, kind, body in typed_objects():
        call = lambda verb: getattr(api, f"{verb}_namespaced_{kind}")
        try:
            made = call("create")(NS, body)
            name = made.metadata.name
            equal(call("read")(name, NS).metadata.uid, made.metadata.uid)
            # By name: the model of events.k8s.io wants a time that events of controllers have not.
            equal([i.metadata.uid for i in call("list")(NS, field_selector=f"metadata.name={name}").items],
                  [made.metadata.uid])
            by_field = {"field_selector": f"metadata.namespace={NS},metadata.name={name}"}
            listed = getattr(api, f"list_{kind}_for_all_namespaces")(**by_field)
            equal([i.metadata.name for i in listed.items], [name])

            def annotate(current):
                current.metadata.annotations = {"replaced": "yes"}
                return call("replace")(name, NS, current)

            equal(update(lambda: call("read")(name, NS), annotate).metadata.annotations["replaced"], "yes")
            call("patch")(name, NS, {"metadata": {"labels": {"patched": "yes"}}})
            equal(call("read")(name, NS).metadata.labels["patched"], "yes")
            call("delete")(name, NS, grace_period_seconds=0)
            if kind != "replication_controller":  # whose pods are orphaned first
                refused(404, "NotFound", call("read"), name, NS)
        except Exception as e:
            raise AssertionError(f"{kind}: {e}") from e


def check_values():
    """What comes back has the client's types: times, base64, quantities, numbers or names."""
    made = core.create_namespaced_secret(NS, client.V1Secret(metadata=meta("values"), data={"k": "AAEC"}))
    equal((made.data["k"], made.type), ("AAEC", "Opaque"))
    equal(made.metadata.creation_timestamp.tzinfo.utcoffset(None).total_seconds(), 0)
    got = core.create_namespaced_service(NS, client.V1Service(metadata=meta("values"), spec=client.V1ServiceSpec(
        ports=[client.V1ServicePort(name="n", port=1, target_port="web"), client.V1ServicePort(name="m", port=2, target_port=8)])))
    equal([p.target_port for p in got.spec.ports], ["web", 8])
    got = core.create_namespaced_pod(NS, pod("values"))
    equal(got.spec.containers[0].resources.requests, {"cpu": "10m", "memory": "8Mi"})
    equal((got.status.phase, got.spec.restart_policy, got.status.qos_class), ("Pending", "Always", "Burstable"))
    equal(utils.parse_quantity(got.spec.containers[0].resources.requests["memory"]), 8 << 20)
    lease = coordination.create_namespaced_lease(NS, client.V1Lease(
        metadata=meta("values"), spec=client.V1LeaseSpec(renew_time="2026-01-02T03:04:05.000006Z")))
    equal(lease.spec.renew_time.microsecond, 6)


def check_paging():
    for i in range(7):
        core.create_namespaced_config_map(NS, config_map(f"page-{i}", labels={"set": "pages"}))
    names, token, pages = [], None, 0
    while True:
        page = core.list_namespaced_config_map(NS, label_selector="set=pages", limit=3, _continue=token)
        names += [i.metadata.name for i in page.items]
        pages += 1
        token = page.metadata._continue
        if not token:
            break
        core.delete_namespaced_config_map("page-6", NS) if pages == 1 else None  # a page is of the first one's revision
    equal(names, [f"page-{i}" for i in range(7)])
    equal(pages, 3)
    first = core.list_namespaced_config_map(NS, label_selector="set=pages", limit=2)
    assert first.metadata.remaining_item_count in (None, 4), first.metadata
    core.delete_collection_namespaced_config_map(NS, label_selector="set=pages,set in (pages)")
    equal(core.list_namespaced_config_map(NS, label_selector="set=pages").items, [])


def check_watch():
    start = core.list_namespaced_config_map(NS).metadata.resource_version
    core.create_namespaced_config_map(NS, config_map("watched"))
    core.patch_namespaced_config_map("watched", NS, {"data": {"k": "w"}})
    core.delete_namespaced_config_map("watched", NS)
    stream = watch.Watch().stream(core.list_namespaced_config_map, NS, resource_version=start, timeout_seconds=3,
                                  field_selector="metadata.name=watched", allow_watch_bookmarks=True)
    got = list(stream)  # the server ends it, with a bookmark
    equal([e["type"] for e in got], ["ADDED", "MODIFIED", "DELETED", "BOOKMARK"])
    assert isinstance(got[0]["object"], client.V1ConfigMap)
    equal((got[0]["object"].data["k"], got[1]["object"].data["k"]), ("v", "w"))
    bookmark = got[3]["object"]
    equal((bookmark["kind"], bookmark["apiVersion"]), ("ConfigMap", "v1"))
    assert int(bookmark["metadata"]["resourceVersion"]) >= int(got[2]["object"].metadata.resource_version)


def check_expired(old):
    """A revision that is forgotten: 410 in the stream, which the client raises; a new list goes on."""
    def gone():
        try:
            for _ in watch.Watch().stream(core.list_namespaced_config_map, NS, resource_version=old, timeout_seconds=1):
                pass
        except ApiException as e:
            return e
        core.patch_namespaced_config_map("expiring", NS, {"metadata": {"annotations": {"at": str(time.time())}}})
        return None

    core.create_namespaced_config_map(NS, config_map("expiring"))
    error = wait_for("a 410", gone)
    equal(error.status, 410)
    assert "Expired: too old resource version: " in str(error.reason), error.reason
    w = watch.Watch()
    # Without a time limit the client tries once more by itself before it gives up.
    try:
        next(w.stream(core.list_namespaced_config_map, NS, resource_version=old))
        raise AssertionError("an old revision was watched")
    except ApiException as e:
        equal(e.status, 410)
    refused(410, "Expired", core.list_namespaced_config_map, NS, resource_version=old, resource_version_match="Exact")
    listed = core.list_namespaced_config_map(NS).metadata.resource_version
    core.create_namespaced_config_map(NS, config_map("after"))
    event = next(w.stream(core.list_namespaced_config_map, NS, resource_version=listed))
    equal((event["type"], event["object"].metadata.name), ("ADDED", "after"))


def check_patches():
    apps.create_namespaced_deployment(NS, deployment("patched", 0))
    container = {"name": "side", "image": "s"}
    got = apps.patch_namespaced_deployment("patched", NS, {"spec": {"template": {"spec": {"containers": [container]}}}})
    equal([c.name for c in got.spec.template.spec.containers], ["side", "c"])  # strategic: merged by name
    got = apps.patch_namespaced_deployment("patched", NS, [{"op": "add", "path": "/spec/paused", "value": True}])
    equal(got.spec.paused, True)
    status = refused(422, "Invalid", apps.patch_namespaced_deployment, "patched", NS,
                     [{"op": "test", "path": "/spec/replicas", "value": 9}])
    assert "due to an error in our request" in status.message, status.message
    resource = dyn.resources.get(api_version="apps/v1", kind="Deployment")
    merge = {"spec": {"template": {"spec": {"containers": [container]}}}}
    got = resource.patch(namespace=NS, name="patched", body=merge, content_type="application/merge-patch+json")
    equal([c.name for c in got.spec.template.spec.containers], ["side"])  # merge: replaced
    labels = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "patched", "labels": {"l": "1"}}}

    def apply(manager, value, **more):  # this version sends such a body only as text
        labels["metadata"]["labels"]["l"] = value
        return dyn.server_side_apply(resource, body=json.dumps(labels), name="patched", namespace=NS,
                                     field_manager=manager, **more)

    got = apply("one", "1")
    equal(got.metadata.labels.l, "1")
    owned = [m for m in got.to_dict()["metadata"]["managedFields"] if m["manager"] == "one"][0]
    equal((owned["operation"], owned["fieldsV1"]), ("Apply", {"f:metadata": {"f:labels": {"f:l": {}}}}))
    try:
        apply("two", "2")
        raise AssertionError("a conflict of managers went through")
    except exceptions.ConflictError as e:
        assert 'conflict with "one": .metadata.labels.l' in e.summary(), e.summary()
    equal(apply("two", "2", force_conflicts=True).metadata.labels.l, "2")


def check_subresources():
    made = apps.create_namespaced_deployment(NS, deployment("scaled", 0))
    core.create_namespaced_replication_controller(NS, client.V1ReplicationController(
        metadata=meta("scaled"), spec=client.V1ReplicationControllerSpec(replicas=0, template=made.spec.template)))
    scale = core.read_namespaced_replication_controller_scale("scaled", NS)
    equal((scale.kind, scale.spec.replicas or 0, scale.status.selector), ("Scale", 0, "app=scaled"))
    scale.spec.replicas = 2
    equal(core.replace_namespaced_replication_controller_scale("scaled", NS, scale).spec.replicas, 2)
    refused(409, "Conflict", core.replace_namespaced_replication_controller_scale, "scaled", NS, scale)
    equal(apps.patch_namespaced_deployment_scale("scaled", NS, {"spec": {"replicas": 1}}).spec.replicas, 1)
    wait_for("a pod of the deployment", lambda: core.list_namespaced_pod(NS, label_selector="app=scaled").items)
    assert apps.read_namespaced_deployment_status("scaled", NS).metadata.uid == made.metadata.uid
    core.create_namespaced_pod(NS, pod("status"))
    condition = {"type": "example.com/Tested", "status": "True"}
    got = core.patch_namespaced_pod_status("status", NS, {"status": {"conditions": [condition], "message": "m"}})
    equal(got.status.message, "m")
    assert "example.com/Tested" in [c.type for c in got.status.conditions]

    def change(current):
        current.spec.containers[0].image = "changed"
        current.status.message = "n"
        return core.replace_namespaced_pod_status("status", NS, current)

    got = update(lambda: core.read_namespaced_pod("status", NS), change)
    equal((got.status.message, got.spec.containers[0].image), ("n", "i"))  # status alone
    equal(core.read_namespaced_pod_log("status", NS), "")  # it runs nowhere yet
    refused(404, "NotFound", core.read_namespaced_pod_log, "none", NS)
    binding = client.V1Binding(metadata=meta("status"), target=client.V1ObjectReference(kind="Node", name="nowhere"))
    equal(core.create_namespaced_pod_binding("status", NS, binding, _preload_content=False).status, 201)
    equal(core.read_namespaced_pod("status", NS).spec.node_name, "nowhere")
    eviction = client.V1Eviction(metadata=meta("status"), delete_options=client.V1DeleteOptions(grace_period_seconds=0))
    core.create_namespaced_pod_eviction("status", NS, eviction)
    refused(404, "NotFound", core.read_namespaced_pod, "status", NS)


def check_deletes():
    uid = core.create_namespaced_config_map(NS, config_map("guarded")).metadata.uid
    wrong = client.V1DeleteOptions(preconditions=client.V1Preconditions(uid="none"))
    refused(409, "Conflict", core.delete_namespaced_config_map, "guarded", NS, body=wrong)
    right = client.V1DeleteOptions(preconditions=client.V1Preconditions(uid=uid))
    status = core.delete_namespaced_config_map("guarded", NS, body=right)
    equal((status.status, status.details.name, status.details.kind, status.details.uid),
          ("Success", "guarded", "configmaps", uid))
    dry = core.create_namespaced_config_map(NS, config_map("dry"), dry_run="All")
    assert dry.metadata.uid
    refused(404, "NotFound", core.read_namespaced_config_map, "dry", NS)
    sets = lambda name: apps.list_namespaced_replica_set(NS, label_selector=f"app={name}").items
    for policy in ("Foreground", "Background", "Orphan"):
        name = policy.lower()
        apps.create_namespaced_deployment(NS, deployment(name, 1))
        wait_for("a replica set", lambda: sets(name))
        status = apps.delete_namespaced_deployment(name, NS, propagation_policy=policy)
        equal(status.kind, "Status" if policy == "Background" else "Deployment")
        wait_for(f"{policy} delete", lambda: name not in [d.metadata.name for d in apps.list_namespaced_deployment(NS).items])
        if policy == "Orphan":
            equal(sets(name)[0].metadata.owner_references, None)
        else:
            wait_for("the replica set to go", lambda: not sets(name))
    for i in range(3):
        core.create_namespaced_config_map(NS, config_map(f"many-{i}", labels={"many": "yes"}))
    core.delete_collection_namespaced_config_map(NS, label_selector="many")
    equal(core.list_namespaced_config_map(NS, label_selector="many").items, [])


def check_errors():
    status = refused(404, "NotFound", core.read_namespaced_config_map, "none", NS)
    equal((status.details.name, status.details.kind), ("none", "configmaps"))
    equal(status.message, 'configmaps "none" not found')
    made = core.create_namespaced_config_map(NS, config_map("error"))
    refused(409, "AlreadyExists", core.create_namespaced_config_map, NS, config_map("error"))
    core.patch_namespaced_config_map("error", NS, {"data": {"k": "newer"}})
    refused(409, "Conflict", core.replace_namespaced_config_map, "error", NS, made)
    status = refused(422, "Invalid", core.create_namespaced_config_map, NS, config_map("Not_A_Name"))
    cause = status.details.causes[0]
    equal((cause.reason, cause.field, status.details.kind), ("FieldValueInvalid", "metadata.name", "ConfigMap"))
    empty = client.V1Pod(metadata=meta("empty"), spec=client.V1PodSpec(containers=[]))
    status = refused(422, "Invalid", core.create_namespaced_pod, NS, empty)
    equal([(c.field, c.reason) for c in status.details.causes], [("spec.containers", "FieldValueRequired")])
    refused(400, "BadRequest", core.list_namespaced_pod, NS, label_selector="=,=")
    refused(404, "NotFound", core.create_namespaced_config_map, "no-such-namespace", config_map("x"))
    refused(400, "BadRequest", core.create_namespaced_config_map, "default", config_map("x", namespace=NS))


def check_dynamic():
    resource = dyn.resources.get(api_version="v1", kind="ConfigMap")
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "dynamic"}, "data": {"a": "1"}}
    made = resource.create(namespace=NS, body=body)
    equal(resource.get(name="dynamic", namespace=NS).data.a, "1")
    assert "dynamic" in [i.metadata.name for i in resource.get(namespace=NS).items]
    seen = resource.watch(namespace=NS, field_selector="metadata.name=dynamic", timeout=5)
    equal(next(seen)["object"].metadata.uid, made.metadata.uid)
    made.data.a = "2"
    equal(resource.replace(namespace=NS, body=made).data.a, "2")
    equal(resource.delete(name="dynamic", namespace=NS).status, "Success")
    try:
        resource.get(name="dynamic", namespace=NS)
        raise AssertionError("deleted, yet there")
    except exceptions.NotFoundError as e:
        equal(e.summary(), 'configmaps "dynamic" not found')
    equal(len(dyn.resources.search(kind="Event")), 2)
    for kind in ("Deployment", "Lease", "EndpointSlice", "Pod"):
        assert dyn.resources.search(kind=kind)[0].namespaced


def check_from_dict():
    documents = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "made", "namespace": NS}},
                 {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "made", "namespace": NS},
                  "spec": core.api_client.sanitize_for_serialization(deployment("made", 0).spec)}]
    for document in documents:
        utils.create_from_dict(core.api_client, document)
    try:
        utils.create_from_dict(core.api_client, documents[0])
        raise AssertionError("made twice")
    except utils.FailToCreateError as e:
        equal(e.api_exceptions[0].status, 409)


def check_reviews():
    attributes = client.V1ResourceAttributes(namespace=NS, verb="get", resource="pods")
    review = client.V1SelfSubjectAccessReview(spec=client.V1SelfSubjectAccessReviewSpec(resource_attributes=attributes))
    equal(client.AuthorizationV1Api().create_self_subject_access_review(review).status.allowed, True)
    token = client.V1TokenReview(spec=client.V1TokenReviewSpec(token="x"))
    assert not client.AuthenticationV1Api().create_token_review(token).status.authenticated


def check_namespaces():
    made = core.create_namespace(client.V1Namespace(metadata=meta("python-gone", labels={"a": "b"})))
    equal((made.status.phase, made.spec.finalizers), ("Active", ["kubernetes"]))
    equal(made.metadata.labels["kubernetes.io/metadata.name"], "python-gone")
    core.create_namespaced_config_map("python-gone", config_map("inside"))
    core.delete_namespace("python-gone")
    wait_for("the namespace to go", lambda: "python-gone" not in [n.metadata.name for n in core.list_namespace().items])
    refused(403, "Forbidden", core.delete_namespace, "kube-system")


class LeaseLock:
    """This version of the client elects by an annotation only; a lock is four methods over the typed calls."""

    def __init__(self, name, namespace, identity):
        self.api, self.name, self.namespace, self.identity, self.lease = coordination, name, namespace, identity, None

    @staticmethod
    def spec(record):
        utc = lambda text: text.replace(" ", "T") + ("Z" if "." in text else ".000000Z")
        return client.V1LeaseSpec(holder_identity=record.holder_identity,
                                  lease_duration_seconds=int(record.lease_duration),
                                  acquire_time=utc(record.acquire_time), renew_time=utc(record.renew_time))

    def get(self, name, namespace):
        try:
            self.lease = self.api.read_namespaced_lease(name, namespace)
        except ApiException as e:
            return False, e
        s = self.lease.spec
        text = lambda moment: moment.replace(tzinfo=None).isoformat(" ", "microseconds")
        return True, LeaderElectionRecord(s.holder_identity, str(s.lease_duration_seconds), text(s.acquire_time),
                                          text(s.renew_time))

    def create(self, name, namespace, election_record):
        body = client.V1Lease(metadata=meta(name), spec=self.spec(election_record))
        return self.try_call(self.api.create_namespaced_lease, namespace, body)

    def update(self, name, namespace, updated_record):
        self.lease.spec = self.spec(updated_record)
        return self.try_call(self.api.replace_namespaced_lease, name, namespace, self.lease)

    @staticmethod
    def try_call(call, *args):
        try:
            call(*args)
            return True
        except ApiException:
            return False


LOCKS = {"lease": LeaseLock, "configmap": ConfigMapLock}


def run_candidate(kind, name, started):
    election = electionconfig.Config(LOCKS[kind](f"lock-{kind}", ELECTION, name), LEASE_S, RENEW_S, RETRY_S,
                                     onstarted_leading=started, onstopped_leading=lambda: None)
    leaderelection.LeaderElection(election).run()


class Elections:
    """For each lock a leader of its own process, and a candidate of ours that waits behind it."""

    def __init__(self):
        core.create_namespace(client.V1Namespace(metadata=meta(ELECTION)))
        self.leaders = {kind: subprocess.Popen([sys.executable, __file__, "candidate", kind, "first"],
                                               stdout=subprocess.PIPE, text=True) for kind in LOCKS}
        self.took = {kind: threading.Event() for kind in LOCKS}

    def follow(self):
        for kind, leader in self.leaders.items():
            equal(leader.stdout.readline(), "leads\n")
            args = (kind, "second", self.took[kind].set)
            threading.Thread(target=run_candidate, args=args, daemon=True).start()

    def check(self):
        moment = datetime.datetime.fromisoformat

        def renewed(kind):  # for longer than a lease lasts by itself
            record = LOCKS[kind]("", "", "").get(f"lock-{kind}", ELECTION)[1]
            return (moment(record.renew_time) - moment(record.acquire_time)).total_seconds() > LEASE_S + RETRY_S

        for kind, leader in self.leaders.items():
            wait_for("the leader to renew", lambda: renewed(kind))
            assert not self.took[kind].is_set(), f"{kind}: two leaders"
            equal(leader.poll(), None)
            leader.kill()
            leader.wait()
        for kind, took in self.took.items():
            assert took.wait(WAIT_S), f"{kind}: nobody took over"
        equal(coordination.read_namespaced_lease("lock-lease", ELECTION).spec.holder_identity, "second")

    def end(self):
        for leader in self.leaders.values():
            leader.kill()
            leader.wait()


def main():
    failed, count = 0, 0

    def run(check, *args):
        nonlocal failed, count
        count += 1
        began = time.monotonic()
        try:
            check(*args)
        except Exception as e:  # each of the others runs
            failed += 1
            logging.exception("FAIL: %s: %s", getattr(check, "__qualname__", check), e)
        print(f"{time.monotonic() - began:6.2f} s {check.__qualname__}", flush=True)

    core.create_namespace(client.V1Namespace(metadata=meta(NS)))
    old = core.list_namespaced_config_map(NS).metadata.resource_version
    elections = Elections()
    try:
        run(check_discovery)
        run(elections.follow)
        for check in (check_typed_kinds, check_values, check_paging, check_watch, check_patches, check_subresources,
                      check_deletes, check_errors, check_dynamic, check_from_dict, check_reviews, check_namespaces):
            run(check)
        run(check_expired, old)
        run(elections.check)
    finally:
        elections.end()
    print(f"clients_python: {count} checks, {failed} failed")
    return 1 if failed else 0


logging.getLogger().setLevel(logging.WARNING)
config.load_kube_config()
core, apps, coordination, events = client.CoreV1Api(), client.AppsV1Api(), client.CoordinationV1Api(), client.EventsV1Api()
if sys.argv[1:2] == ["candidate"]:
    run_candidate(sys.argv[2], sys.argv[3], lambda: print("leads", flush=True))
else:
    dyn = dynamic.DynamicClient(core.api_client)
    failed = main()
    sys.stdout.flush()
    os._exit(failed)  # past the candidates' threads
