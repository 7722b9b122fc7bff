#!/bin/bash
# Every installed kubectl over what lists, watches and deletes promise, events of both groups, and
# the subresources that change a pod.
# usage: books_test.sh GANTRYD
# KUBECTLS names further kubectls, with spaces between.
set -u
gantryd=$1
. "$(dirname "$0")/member.sh"

pod() {
    cat <<YAML
apiVersion: v1
kind: Pod
metadata: {name: $1, labels: {app: $1}}
spec:
  nodeName: nowhere
  containers:
  - name: c
    image: i
    resources: {requests: {cpu: "1"}}
YAML
}

event='apiVersion: events.k8s.io/v1
kind: Event
metadata: {name: news}
eventTime: "2026-01-01T00:00:00.000000Z"
reportingController: example.com/c
reportingInstance: i
action: Acted
reason: Because
type: Normal
note: a note
regarding: {kind: Pod, namespace: default, name: web}'

for kubectl in $kubectls; do
    version=$("$kubectl" version --client -o yaml 2>/dev/null | sed -n 's/.*gitVersion: //p' | head -1)
    k() { "$kubectl" "$@"; }

    # Pages, and a collection deleted at once.
    for i in 1 2 3 4 5; do k create configmap "m$i" >/dev/null; k label cm "m$i" page=1 >/dev/null; done
    expect m5 k get cm -l page=1 --chunk-size=2 -o name
    expect 'configmap "m3" deleted' k delete cm -l page=1
    expect 'No resources found' k get cm -l page=1

    # One store of events, two groups.
    expect 'created' k create -f - <<<"$event"
    expect 'a note' k get events
    expect 'a note' k get events.v1.events.k8s.io
    expect 'pod/web' k get events --field-selector involvedObject.name=web
    expect 'field is immutable' k patch events.v1.events.k8s.io news --type merge -p '{"note":"x"}'
    expect 'patched' k patch events.v1. news --type merge -p '{"message":"x"}'
    expect 'GROUP:      events.k8s.io' k explain events.regarding --api-version=events.k8s.io/v1
    expect 'deleted' k delete events news

    # Deletes: what is kept back, and by what.
    expect 'created' k create -f - < <(pod web)
    expect 'Invalid value' k patch pod web --type merge -p '{"metadata":{"finalizers":["plain"]}}'
    expect 'patched' k patch pod web --type merge -p '{"metadata":{"finalizers":["example.com/f"]}}'
    expect 'deleted' k delete pod web --grace-period=7 --wait=false
    expect 7 k get pod web -o 'jsonpath={.metadata.deletionGracePeriodSeconds}'
    expect 'no new finalizers can be added' \
        k patch pod web --type merge -p '{"metadata":{"finalizers":["example.com/f","example.com/g"]}}'
    expect 'patched' k patch pod web --type merge -p '{"metadata":{"finalizers":null}}'
    expect 'deleted' k delete pod web --grace-period=0 --force --wait=true

    # The subresources of a pod.
    expect 'created' k create -f - < <(pod dbg)
    expect 'patched' k patch pod dbg --subresource=status --type merge -p '{"status":{"phase":"Running"}}'
    k debug dbg --image=busybox --container=look >/dev/null 2>&1 </dev/null
    expect look k get pod dbg -o 'jsonpath={.spec.ephemeralContainers[*].name}'
    expect dbg k get --raw /api/v1/namespaces/default/pods/dbg/resize
    expect 'Success' k create --raw /api/v1/namespaces/default/pods/dbg/eviction -f - \
        <<<'{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"dbg"},"deleteOptions":{"gracePeriodSeconds":0}}'
    expect 'not found' k get pod dbg
done
exit $failed
