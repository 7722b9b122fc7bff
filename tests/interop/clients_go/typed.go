package main

import (
	"context"
	"encoding/json"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	eventsv1 "k8s.io/api/events/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	appsapply "k8s.io/client-go/applyconfigurations/apps/v1"
	coreapply "k8s.io/client-go/applyconfigurations/core/v1"
	metaapply "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	typedcore "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/retry"
)

var quick = []check{
	{"kinds", checkKinds}, {"values", checkValues}, {"paging", checkPaging}, {"patches", checkPatches},
	{"apply", checkApply}, {"subresources", checkSubresources}, {"deletes", checkDeletes}, {"errors", checkErrors},
	{"events", checkEvents}, {"namespaces", checkNamespaces}, {"discovery", checkDiscovery}, {"mapper", checkMapper},
	{"dynamic", checkDynamic}, {"metadata", checkMetadata},
}

func meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name}
}

func labeled(name, key string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Labels: map[string]string{key: "yes"}}
}

func configMap(name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: meta(name), Data: map[string]string{"k": "v"}}
}

func podSpec() corev1.PodSpec {
	requests := corev1.ResourceList{"cpu": resource.MustParse("10m"), "memory": resource.MustParse("8Mi")}
	return corev1.PodSpec{Containers: []corev1.Container{
		{Name: "c", Image: "i", Resources: corev1.ResourceRequirements{Requests: requests}}}}
}

func pod(name string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: meta(name), Spec: podSpec()}
}

func template(app string) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": app}}, Spec: podSpec()}
}

func deployment(name string, replicas int32) *appsv1.Deployment {
	selector := &metav1.LabelSelector{MatchLabels: map[string]string{"app": name}}
	return &appsv1.Deployment{ObjectMeta: meta(name),
		Spec: appsv1.DeploymentSpec{Replicas: &replicas, Selector: selector, Template: template(name)}}
}

// calls are what a typed client of a kind has.
type calls[T, L any] interface {
	Create(context.Context, T, metav1.CreateOptions) (T, error)
	Update(context.Context, T, metav1.UpdateOptions) (T, error)
	Get(context.Context, string, metav1.GetOptions) (T, error)
	List(context.Context, metav1.ListOptions) (L, error)
	Patch(context.Context, string, types.PatchType, []byte, metav1.PatchOptions, ...string) (T, error)
	Delete(context.Context, string, metav1.DeleteOptions) error
}

// lifecycle makes, reads, lists, updates, patches and deletes one object.
func lifecycle[T metav1.Object, L metav1.ListInterface](w *world, kind string, client calls[T, L], object T) {
	defer func() {
		if reason := recover(); reason != nil {
			fail("%s: %v", kind, reason)
		}
	}()
	object.SetName("o")
	made := got(client.Create(w, object, metav1.CreateOptions{}))
	equal(made.GetNamespace(), w.ns)
	equal(got(client.Get(w, "o", metav1.GetOptions{})).GetUID(), made.GetUID())
	must(retry.RetryOnConflict(retry.DefaultRetry, func() error {
		current := got(client.Get(w, "o", metav1.GetOptions{}))
		current.SetAnnotations(map[string]string{"updated": "yes"})
		_, err := client.Update(w, current, metav1.UpdateOptions{})
		return err
	}))
	label := []byte(`{"metadata":{"labels":{"patched":"yes"}}}`)
	patched := got(client.Patch(w, "o", types.StrategicMergePatchType, label, metav1.PatchOptions{}))
	equal(patched.GetAnnotations()["updated"]+patched.GetLabels()["patched"], "yesyes")
	list := got(client.List(w, metav1.ListOptions{LabelSelector: "patched"}))
	equal(list.GetContinue(), "")
	equal(list.GetResourceVersion() != "", true)
	background, zero := metav1.DeletePropagationBackground, int64(0)
	options := metav1.DeleteOptions{PropagationPolicy: &background, GracePeriodSeconds: &zero}
	must(client.Delete(w, "o", options))
	_, err := client.Get(w, "o", metav1.GetOptions{})
	is(apierrors.IsNotFound, err)
}

func checkKinds(w *world) {
	core, apps := w.client.CoreV1(), w.client.AppsV1()
	reference := corev1.ObjectReference{APIVersion: "v1", Kind: "Pod", Namespace: w.ns, Name: "p", UID: "u"}
	now := metav1.NowMicro()
	holder, zero, one := "me", int32(0), int32(1)
	selector := &metav1.LabelSelector{MatchLabels: map[string]string{"app": "t"}}
	port := corev1.ServicePort{Port: 80, TargetPort: intstr.FromString("http")}
	limit := corev1.LimitRangeItem{Type: "Container", Max: corev1.ResourceList{"cpu": resource.MustParse("1")}}
	hard := corev1.ResourceList{"pods": resource.MustParse("10")}
	address := []corev1.EndpointAddress{{IP: "10.0.0.1"}}
	plain := template("t")

	lifecycle(w, "ConfigMap", core.ConfigMaps(w.ns), configMap(""))
	lifecycle(w, "Secret", core.Secrets(w.ns), &corev1.Secret{StringData: map[string]string{"k": "v"}})
	lifecycle(w, "Service", core.Services(w.ns), &corev1.Service{Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{port}}})
	lifecycle(w, "ServiceAccount", core.ServiceAccounts(w.ns), &corev1.ServiceAccount{})
	lifecycle(w, "Endpoints", core.Endpoints(w.ns), &corev1.Endpoints{Subsets: []corev1.EndpointSubset{{Addresses: address}}})
	lifecycle(w, "LimitRange", core.LimitRanges(w.ns),
		&corev1.LimitRange{Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{limit}}})
	lifecycle(w, "ResourceQuota", core.ResourceQuotas(w.ns),
		&corev1.ResourceQuota{Spec: corev1.ResourceQuotaSpec{Hard: hard}})
	lifecycle(w, "PodTemplate", core.PodTemplates(w.ns), &corev1.PodTemplate{Template: plain})
	lifecycle(w, "ReplicationController", core.ReplicationControllers(w.ns), &corev1.ReplicationController{
		Spec: corev1.ReplicationControllerSpec{Replicas: &one, Selector: plain.Labels, Template: &plain}})
	lifecycle(w, "Pod", core.Pods(w.ns), pod(""))
	lifecycle(w, "Event", core.Events(w.ns), &corev1.Event{InvolvedObject: reference, Reason: "Seen", Type: "Normal"})
	lifecycle(w, "events.Event", w.client.EventsV1().Events(w.ns), &eventsv1.Event{Regarding: reference, Reason: "Seen",
		Action: "Look", Type: "Normal", EventTime: now, ReportingController: "example.com/t", ReportingInstance: "t-1"})
	lifecycle(w, "Deployment", apps.Deployments(w.ns), deployment("", 1))
	lifecycle(w, "ReplicaSet", apps.ReplicaSets(w.ns),
		&appsv1.ReplicaSet{Spec: appsv1.ReplicaSetSpec{Replicas: &zero, Selector: selector, Template: plain}})
	lifecycle(w, "ControllerRevision", apps.ControllerRevisions(w.ns),
		&appsv1.ControllerRevision{Revision: 3, Data: runtime.RawExtension{Raw: []byte(`{"a":1}`)}})
	lifecycle(w, "Lease", w.client.CoordinationV1().Leases(w.ns),
		&coordinationv1.Lease{Spec: coordinationv1.LeaseSpec{HolderIdentity: &holder, RenewTime: &now}})
	lifecycle(w, "EndpointSlice", w.client.DiscoveryV1().EndpointSlices(w.ns), &discoveryv1.EndpointSlice{
		AddressType: "IPv4", Endpoints: []discoveryv1.Endpoint{{Addresses: []string{"10.0.0.1"}}}})
}

// What comes back equals what was sent: times, bytes, quantities, numbers or names.
func checkValues(w *world) {
	core := w.client.CoreV1()
	secret := &corev1.Secret{ObjectMeta: meta("v"), Data: map[string][]byte{"k": {0, 1, 2}}}
	equal(string(got(core.Secrets(w.ns).Create(w, secret, metav1.CreateOptions{})).Data["k"]), "\x00\x01\x02")
	ports := []corev1.ServicePort{{Name: "n", Port: 1, TargetPort: intstr.FromString("web")}, {Name: "m", Port: 2, TargetPort: intstr.FromInt32(8)}}
	service := &corev1.Service{ObjectMeta: meta("v"), Spec: corev1.ServiceSpec{Ports: ports}}
	service = got(core.Services(w.ns).Create(w, service, metav1.CreateOptions{}))
	equal(service.Spec.Ports[0].TargetPort, ports[0].TargetPort)
	equal(service.Spec.Ports[1].TargetPort, ports[1].TargetPort)
	made := got(core.Pods(w.ns).Create(w, pod("v"), metav1.CreateOptions{}))
	equal(made.Spec.Containers[0].Resources.Requests.Memory().Value(), 8<<20)
	equal(fmt.Sprint(made.Status.Phase, made.Spec.RestartPolicy, made.Status.QOSClass), "PendingAlwaysBurstable")
	now := metav1.NowMicro()
	lease := &coordinationv1.Lease{ObjectMeta: meta("v"), Spec: coordinationv1.LeaseSpec{RenewTime: &now}}
	lease = got(w.client.CoordinationV1().Leases(w.ns).Create(w, lease, metav1.CreateOptions{}))
	equal(lease.Spec.RenewTime.UnixMicro(), now.UnixMicro())
	strict := metav1.CreateOptions{DryRun: []string{"All"}, FieldValidation: "Strict", FieldManager: "m"}
	equal(got(core.ConfigMaps(w.ns).Create(w, configMap("dry"), strict)).ManagedFields[0].Manager, "m")
	_, err := core.ConfigMaps(w.ns).Get(w, "dry", metav1.GetOptions{})
	is(apierrors.IsNotFound, err)
}

func checkPatches(w *world) {
	client := w.client.AppsV1().Deployments(w.ns)
	got(client.Create(w, deployment("patched", 0), metav1.CreateOptions{}))
	side := `{"spec":{"template":{"spec":{"containers":[{"name":"side","image":"s"}]}}}}`
	for _, patch := range []struct {
		form       types.PatchType
		body       string
		containers int
	}{
		{types.StrategicMergePatchType, side, 2},
		{types.MergePatchType, side, 1},
		{types.JSONPatchType, `[{"op":"add","path":"/spec/paused","value":true}]`, 1},
	} {
		after := got(client.Patch(w, "patched", patch.form, []byte(patch.body), metav1.PatchOptions{}))
		equal(len(after.Spec.Template.Spec.Containers), patch.containers)
	}
	failing := []byte(`[{"op":"test","path":"/spec/replicas","value":9}]`)
	_, err := client.Patch(w, "patched", types.JSONPatchType, failing, metav1.PatchOptions{})
	is(apierrors.IsInvalid, err)
}

func checkApply(w *world) {
	client := w.client.AppsV1().Deployments(w.ns)
	container := coreapply.Container().WithName("c").WithImage("i")
	spec := appsapply.DeploymentSpec().WithReplicas(0).
		WithSelector(metaapply.LabelSelector().WithMatchLabels(map[string]string{"app": "applied"})).
		WithTemplate(coreapply.PodTemplateSpec().WithLabels(map[string]string{"app": "applied"}).
			WithSpec(coreapply.PodSpec().WithContainers(container)))
	wanted := appsapply.Deployment("applied", w.ns).WithLabels(map[string]string{"l": "1"}).WithSpec(spec)
	got(client.Apply(w, wanted, metav1.ApplyOptions{FieldManager: "one"}))
	mine := got(appsapply.ExtractDeployment(got(client.Get(w, "applied", metav1.GetOptions{})), "one"))
	equal(mine.Labels["l"], "1")
	equal(string(got(json.Marshal(mine.Spec))), string(got(json.Marshal(spec)))) // just what was applied
	other := appsapply.Deployment("applied", w.ns).WithLabels(map[string]string{"l": "2"})
	_, err := client.Apply(w, other, metav1.ApplyOptions{FieldManager: "two"})
	is(apierrors.IsConflict, err)
	equal(apierrors.HasStatusCause(err, metav1.CauseTypeFieldManagerConflict), true)
	equal(got(client.Apply(w, other, metav1.ApplyOptions{FieldManager: "two", Force: true})).Labels["l"], "2")
	status := appsapply.Deployment("applied", w.ns).WithStatus(appsapply.DeploymentStatus().WithCollisionCount(3))
	got(client.ApplyStatus(w, status, metav1.ApplyOptions{FieldManager: "three"}))
}

func checkSubresources(w *world) {
	deployments, pods := w.client.AppsV1().Deployments(w.ns), w.client.CoreV1().Pods(w.ns)
	got(deployments.Create(w, deployment("scaled", 0), metav1.CreateOptions{}))
	must(retry.RetryOnConflict(retry.DefaultRetry, func() error {
		scale := got(deployments.GetScale(w, "scaled", metav1.GetOptions{}))
		equal(scale.Status.Selector, "app=scaled")
		scale.Spec.Replicas = 1
		_, err := deployments.UpdateScale(w, "scaled", scale, metav1.UpdateOptions{})
		return err
	}))
	free := &autoscalingv1.Scale{ObjectMeta: metav1.ObjectMeta{Name: "scaled", Namespace: w.ns}, Spec: autoscalingv1.ScaleSpec{Replicas: 2}}
	equal(got(deployments.UpdateScale(w, "scaled", free, metav1.UpdateOptions{})).Spec.Replicas, 2)
	await("pods of the deployment", func() bool {
		return len(got(pods.List(w, metav1.ListOptions{LabelSelector: "app=scaled"})).Items) == 2
	})
	made := got(pods.Create(w, pod("status"), metav1.CreateOptions{}))
	must(retry.RetryOnConflict(retry.DefaultRetry, func() error {
		made = got(pods.Get(w, "status", metav1.GetOptions{}))
		made.Spec.Containers[0].Image = "changed"
		made.Status.Message = "m"
		_, err := pods.UpdateStatus(w, made, metav1.UpdateOptions{})
		return err
	}))
	made = got(pods.Get(w, "status", metav1.GetOptions{}))
	equal(made.Status.Message+made.Spec.Containers[0].Image, "mi") // status alone
	equal(len(got(pods.GetLogs("status", &corev1.PodLogOptions{}).DoRaw(w))), 0) // it has no node yet
	binding := &corev1.Binding{ObjectMeta: meta("status"), Target: corev1.ObjectReference{Kind: "Node", Name: "nowhere"}}
	must(pods.Bind(w, binding, metav1.CreateOptions{}))
	equal(got(pods.Get(w, "status", metav1.GetOptions{})).Spec.NodeName, "nowhere")
	zero := int64(0)
	must(pods.EvictV1(w, &policyv1.Eviction{ObjectMeta: meta("status"), DeleteOptions: &metav1.DeleteOptions{GracePeriodSeconds: &zero}}))
	_, err := pods.Get(w, "status", metav1.GetOptions{})
	is(apierrors.IsNotFound, err)
	review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: w.ns, Verb: "get", Resource: "pods"}}}
	reviews := w.client.AuthorizationV1().SelfSubjectAccessReviews()
	equal(got(reviews.Create(w, review, metav1.CreateOptions{})).Status.Allowed, true)
}

func checkDeletes(w *world) {
	maps, deployments, sets := w.client.CoreV1().ConfigMaps(w.ns), w.client.AppsV1().Deployments(w.ns), w.client.AppsV1().ReplicaSets(w.ns)
	made := got(maps.Create(w, configMap("guarded"), metav1.CreateOptions{}))
	is(apierrors.IsConflict, maps.Delete(w, "guarded", *metav1.NewPreconditionDeleteOptions("none")))
	must(maps.Delete(w, "guarded", *metav1.NewPreconditionDeleteOptions(string(made.UID))))
	for _, policy := range []metav1.DeletionPropagation{metav1.DeletePropagationForeground, metav1.DeletePropagationBackground, metav1.DeletePropagationOrphan} {
		name := map[metav1.DeletionPropagation]string{"Foreground": "foreground", "Background": "background", "Orphan": "orphan"}[policy]
		got(deployments.Create(w, deployment(name, 1), metav1.CreateOptions{}))
		left := func() []appsv1.ReplicaSet {
			return got(sets.List(w, metav1.ListOptions{LabelSelector: "app=" + name})).Items
		}
		await("a replica set", func() bool { return len(left()) == 1 })
		must(deployments.Delete(w, name, metav1.DeleteOptions{PropagationPolicy: &policy}))
		await(name+" delete", func() bool {
			_, err := deployments.Get(w, name, metav1.GetOptions{})
			return apierrors.IsNotFound(err)
		})
		if policy == metav1.DeletePropagationOrphan {
			equal(len(left()[0].OwnerReferences), 0)
		} else {
			await("no replica set", func() bool { return len(left()) == 0 })
		}
	}
}

func checkErrors(w *world) {
	maps := w.client.CoreV1().ConfigMaps(w.ns)
	_, err := maps.Get(w, "none", metav1.GetOptions{})
	is(apierrors.IsNotFound, err)
	equal(err.Error(), `configmaps "none" not found`)
	made := got(maps.Create(w, configMap("error"), metav1.CreateOptions{}))
	_, err = maps.Create(w, configMap("error"), metav1.CreateOptions{})
	is(apierrors.IsAlreadyExists, err)
	got(maps.Patch(w, "error", types.MergePatchType, []byte(`{"data":{"n":"1"}}`), metav1.PatchOptions{}))
	_, err = maps.Update(w, made, metav1.UpdateOptions{})
	is(apierrors.IsConflict, err)
	empty := &corev1.Pod{ObjectMeta: meta("empty")}
	_, err = w.client.CoreV1().Pods(w.ns).Create(w, empty, metav1.CreateOptions{})
	is(apierrors.IsInvalid, err)
	cause, found := apierrors.StatusCause(err, metav1.CauseTypeFieldValueRequired)
	equal(found, true)
	equal(cause.Field, "spec.containers")
	_, err = maps.List(w, metav1.ListOptions{LabelSelector: "=,="})
	is(apierrors.IsBadRequest, err)
	is(apierrors.IsForbidden, w.client.CoreV1().Namespaces().Delete(w, "kube-system", metav1.DeleteOptions{}))
	_, err = w.client.BatchV1().CronJobs(w.ns).List(w, metav1.ListOptions{})
	is(apierrors.IsNotFound, err)
}

// A recorder folds equal events into one that counts.
func checkEvents(w *world) {
	about := got(w.client.CoreV1().ConfigMaps(w.ns).Create(w, configMap("about"), metav1.CreateOptions{}))
	broadcaster := record.NewBroadcaster()
	defer broadcaster.Shutdown()
	broadcaster.StartRecordingToSink(&typedcore.EventSinkImpl{Interface: w.client.CoreV1().Events(w.ns)})
	recorder := broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "clients-go"})
	for range 3 {
		recorder.Event(about, corev1.EventTypeNormal, "Folded", "said again")
	}
	await("one event that counts three", func() bool {
		selector := "reason=Folded,involvedObject.uid=" + string(about.UID)
		list := got(w.client.CoreV1().Events(w.ns).List(w, metav1.ListOptions{FieldSelector: selector}))
		return len(list.Items) == 1 && list.Items[0].Count == 3
	})
}

func checkNamespaces(w *world) {
	client, name := w.client.CoreV1().Namespaces(), w.ns+"-gone"
	made := got(client.Create(w, &corev1.Namespace{ObjectMeta: meta(name)}, metav1.CreateOptions{}))
	equal(made.Status.Phase, corev1.NamespaceActive)
	got(w.client.CoreV1().ConfigMaps(name).Create(w, configMap("inside"), metav1.CreateOptions{}))
	must(client.Delete(w, name, metav1.DeleteOptions{}))
	await("the namespace to go", func() bool {
		_, err := client.Get(w, name, metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	})
}
