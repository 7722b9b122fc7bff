package main

import (
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/scale"
)

var (
	maps        = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	deployments = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
)

func checkDiscovery(w *world) {
	client := w.client.Discovery()
	equal(got(client.ServerVersion()).Minor, "35")
	groups, lists, err := client.ServerGroupsAndResources()
	must(err)
	equal(len(groups) > 5 && len(lists) > 5, true)
	found := false
	for _, list := range got(client.ServerPreferredNamespacedResources()) {
		for _, resource := range list.APIResources {
			found = found || (list.GroupVersion == "apps/v1" && resource.Name == "deployments" && resource.Kind == "Deployment")
		}
	}
	equal(found, true)
	document := got(client.OpenAPISchema())
	equal(len(document.Definitions.AdditionalProperties) > 100, true)
	v3 := got(client.OpenAPIV3().Paths())
	equal(len(got(v3["apis/apps/v1"].Schema("application/com.github.proto-openapi.spec.v3@v1.0+protobuf"))) > 1000, true)
	equal(len(got(v3["api/v1"].Schema("application/json"))) > 1000, true)
}

func checkMapper(w *world) {
	cache := memory.NewMemCacheClient(w.client.Discovery())
	deferred := restmapper.NewDeferredDiscoveryRESTMapper(cache)
	mapping := got(deferred.RESTMapping(schema.GroupKind{Group: "apps", Kind: "Deployment"}))
	equal(mapping.Resource, deployments)
	equal(mapping.Scope.Name(), apimeta.RESTScopeNameNamespace)
	equal(got(deferred.KindFor(schema.GroupVersionResource{Resource: "lease"})).Group, "coordination.k8s.io")
	equal(got(deferred.ResourceFor(schema.GroupVersionResource{Resource: "pods"})).Version, "v1")
	short := restmapper.NewShortcutExpander(deferred, cache, nil)
	equal(got(short.ResourceFor(schema.GroupVersionResource{Resource: "deploy"})), deployments)
	_, err := deferred.RESTMapping(schema.GroupKind{Group: "example.com", Kind: "None"})
	is(apimeta.IsNoMatchError, err)

	kinds := scale.NewDiscoveryScaleKindResolver(w.client.Discovery())
	scales := got(scale.NewForConfig(w.config, deferred, dynamicPath, kinds)).Scales(w.ns)
	got(w.client.AppsV1().Deployments(w.ns).Create(w, deployment("mapped", 0), metav1.CreateOptions{}))
	body := []byte(`{"spec":{"replicas":1}}`)
	equal(got(scales.Patch(w, deployments, "mapped", types.MergePatchType, body, metav1.PatchOptions{})).Spec.Replicas, 1)
	equal(got(scales.Get(w, deployments.GroupResource(), "mapped", metav1.GetOptions{})).Status.Selector, "app=mapped")
}

func dynamicPath(kind schema.GroupVersionKind) string {
	if kind.Group == "" {
		return "/api"
	}
	return "/apis"
}

func checkDynamic(w *world) {
	client := w.dynamic.Resource(maps).Namespace(w.ns)
	object := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"name": "dynamic"}, "data": map[string]any{"a": "1"}}}
	made := got(client.Create(w, object, metav1.CreateOptions{}))
	watch := got(client.Watch(w, metav1.ListOptions{ResourceVersion: made.GetResourceVersion(), FieldSelector: "metadata.name=dynamic"}))
	defer watch.Stop()
	must(unstructured.SetNestedField(made.Object, "2", "data", "a"))
	got(client.Update(w, made, metav1.UpdateOptions{}))
	event := <-watch.ResultChan()
	value, _, _ := unstructured.NestedString(event.Object.(*unstructured.Unstructured).Object, "data", "a")
	equal(string(event.Type)+value, "MODIFIED2")
	must(unstructured.SetNestedField(object.Object, "3", "data", "a"))
	got(client.Apply(w, "dynamic", object, metav1.ApplyOptions{FieldManager: "m", Force: true}))
	equal(len(got(client.List(w, metav1.ListOptions{FieldSelector: "metadata.name=dynamic"})).Items), 1)
	must(client.Delete(w, "dynamic", metav1.DeleteOptions{}))
	_, err := client.Get(w, "dynamic", metav1.GetOptions{})
	is(apierrors.IsNotFound, err)
}

// Objects of which only the metadata is asked for.
func checkMetadata(w *world) {
	got(w.client.CoreV1().ConfigMaps(w.ns).Create(w, configMap("partial"), metav1.CreateOptions{}))
	client := w.metadata.Resource(maps).Namespace(w.ns)
	equal(got(client.Get(w, "partial", metav1.GetOptions{})).Name, "partial")
	equal(len(got(client.List(w, metav1.ListOptions{FieldSelector: "metadata.name=partial"})).Items), 1)
	label := []byte(`{"metadata":{"labels":{"a":"b"}}}`)
	equal(got(client.Patch(w, "partial", types.MergePatchType, label, metav1.PatchOptions{})).Labels["a"], "b")
	must(client.Delete(w, "partial", metav1.DeleteOptions{}))
}
