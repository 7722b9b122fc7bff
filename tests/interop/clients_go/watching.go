package main

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/client-go/tools/pager"
	watchtools "k8s.io/client-go/tools/watch"
)

var slow = []check{{"watch", checkWatch}, {"retry watcher", checkRetryWatcher}, {"informers", checkInformers}, {"election", checkElection}}

func checkPaging(w *world) {
	client := w.client.CoreV1().ConfigMaps(w.ns)
	for i := range 7 {
		got(client.Create(w, &corev1.ConfigMap{ObjectMeta: labeled(fmt.Sprintf("page-%d", i), "pages")}, metav1.CreateOptions{}))
	}
	pages := 0
	p := pager.New(pager.SimplePageFunc(func(options metav1.ListOptions) (runtime.Object, error) {
		pages++
		return client.List(w, options)
	}))
	p.PageSize = 3
	list, paginated, err := p.List(w, metav1.ListOptions{LabelSelector: "pages"})
	must(err)
	equal(paginated, true)
	equal(pages, 3)
	equal(apimeta.LenList(list), 7)
	must(client.DeleteCollection(w, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "pages in (yes)"}))
	equal(len(got(client.List(w, metav1.ListOptions{LabelSelector: "pages"})).Items), 0)
}

// Events from a resourceVersion on, a bookmark before the end, and a 410 for what is forgotten.
func checkWatch(w *world) {
	client := w.client.CoreV1().ConfigMaps(w.ns)
	old := got(client.List(w, metav1.ListOptions{})).ResourceVersion
	got(client.Create(w, configMap("watched"), metav1.CreateOptions{}))
	must(client.Delete(w, "watched", metav1.DeleteOptions{}))
	seconds := int64(3)
	options := metav1.ListOptions{ResourceVersion: old, AllowWatchBookmarks: true, TimeoutSeconds: &seconds, FieldSelector: "metadata.name=watched"}
	kinds := ""
	for event := range got(client.Watch(w, options)).ResultChan() {
		kinds += string(event.Type) + " "
	}
	equal(kinds, "ADDED DELETED BOOKMARK ")
	forget(w, old)
	event := <-got(client.Watch(w, metav1.ListOptions{ResourceVersion: old})).ResultChan()
	equal(event.Type, watch.Error)
	is(apierrors.IsResourceExpired, apierrors.FromObject(event.Object))
}

// Writes until the member has no history of that revision any more.
func forget(w *world, revision string) {
	client := w.client.CoreV1().ConfigMaps(w.ns)
	exact := metav1.ListOptions{ResourceVersion: revision, ResourceVersionMatch: metav1.ResourceVersionMatchExact, Limit: 1}
	await("a 410", func() bool {
		must(client.DeleteCollection(w, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "time"}))
		moment := &corev1.ConfigMap{ObjectMeta: labeled("", "time")}
		moment.GenerateName = "time-"
		got(client.Create(w, moment, metav1.CreateOptions{}))
		_, err := client.List(w, exact)
		return apierrors.IsResourceExpired(err)
	})
}

func checkRetryWatcher(w *world) {
	far := w.cuttable()
	far.ns = w.ns
	client := w.client.CoreV1().ConfigMaps(w.ns)
	start := got(client.List(w, metav1.ListOptions{})).ResourceVersion
	source := &cache.ListWatch{WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
		options.LabelSelector = "retried"
		return far.client.CoreV1().ConfigMaps(w.ns).Watch(ctx, options)
	}}
	watcher := got(watchtools.NewRetryWatcherWithContext(w, start, source))
	defer watcher.Stop()
	for i := range 3 {
		name := fmt.Sprintf("retried-%d", i)
		got(client.Create(w, &corev1.ConfigMap{ObjectMeta: labeled(name, "retried")}, metav1.CreateOptions{}))
		event := <-watcher.ResultChan()
		equal(event.Object.(*corev1.ConfigMap).Name, name)
		far.wire.cut()
	}
}

// count of what each kind of informer has of the objects with the label.
type caches struct {
	typed          func() int
	dynamic, stubs cache.GenericLister
}

func (c caches) agree(n int) bool {
	all := labels.Everything()
	return c.typed() == n && len(got(c.dynamic.List(all))) == n && len(got(c.stubs.List(all))) == n
}

// Informers, typed, dynamic and of metadata, miss nothing when their watches are cut, nor when what they missed is
// forgotten by the member meanwhile.
func checkInformers(w *world) {
	far := w.cuttable()
	client := w.client.CoreV1().ConfigMaps(w.ns)
	put := func(name string) *corev1.ConfigMap {
		return got(client.Create(w, &corev1.ConfigMap{ObjectMeta: labeled(name, "informed")}, metav1.CreateOptions{}))
	}
	tweak := func(o *metav1.ListOptions) { o.LabelSelector = "informed" }
	ctx, cancel := context.WithCancel(w)
	defer cancel()
	stop := ctx.Done()
	typed := informers.NewSharedInformerFactoryWithOptions(far.client, 0, informers.WithNamespace(w.ns), informers.WithTweakListOptions(tweak))
	lister := typed.Core().V1().ConfigMaps().Lister()
	deleted := make(chan string, 8)
	got(typed.Core().V1().ConfigMaps().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		DeleteFunc: func(object any) { deleted <- got(cache.DeletionHandlingMetaNamespaceKeyFunc(object)) }}))
	dynamics := dynamicinformer.NewFilteredDynamicSharedInformerFactory(far.dynamic, 0, w.ns, tweak)
	stubs := metadatainformer.NewFilteredSharedInformerFactory(far.metadata, 0, w.ns, tweak)
	c := caches{func() int { return len(got(lister.List(labels.Everything()))) }, dynamics.ForResource(maps).Lister(), stubs.ForResource(maps).Lister()}
	put("i-1")
	typed.Start(stop)
	dynamics.Start(stop)
	stubs.Start(stop)
	for kind, synced := range typed.WaitForCacheSync(stop) {
		equal(fmt.Sprint(kind, synced), "*v1.ConfigMap true")
	}
	await("what was there", func() bool { return c.agree(1) })
	streamed, listed := far.wire.lists()
	equal(fmt.Sprint(streamed, listed), "3 0") // each list came as a watch
	put("i-2")
	await("a new one", func() bool { return c.agree(2) })
	far.wire.cut()
	put("i-3")
	await("one that came while the watch was cut", func() bool { return c.agree(3) })
	far.wire.hold()
	must(client.Delete(w, "i-1", metav1.DeleteOptions{}))
	must(client.Delete(w, "i-2", metav1.DeleteOptions{}))
	forget(w, put("i-4").ResourceVersion)
	far.wire.release()
	await("what is there now", func() bool { return c.agree(2) })
	streamed, listed = far.wire.lists()
	equal(fmt.Sprint(streamed, listed), "6 0") // each was told 410
	equal(got(lister.ConfigMaps(w.ns).Get("i-4")).Labels["informed"], "yes")
	equal(len(<-deleted)+len(<-deleted), 2*len(w.ns+"/i-1"))
}

func checkElection(w *world) {
	type candidate struct {
		leads chan struct{}
		stop  context.CancelFunc
	}
	begin := func(name string) candidate {
		ctx, cancel := context.WithCancel(w)
		c := candidate{make(chan struct{}), cancel}
		lock := &resourcelock.LeaseLock{LeaseMeta: metav1.ObjectMeta{Name: "lock", Namespace: w.ns},
			Client: w.client.CoordinationV1(), LockConfig: resourcelock.ResourceLockConfig{Identity: name}}
		go leaderelection.RunOrDie(ctx, leaderelection.LeaderElectionConfig{Lock: lock, LeaseDuration: 3 * time.Second,
			RenewDeadline: 2 * time.Second, RetryPeriod: 200 * time.Millisecond, Callbacks: leaderelection.LeaderCallbacks{
				OnStartedLeading: func(context.Context) { close(c.leads) }, OnStoppedLeading: func() {}}})
		return c
	}
	first := begin("first")
	<-first.leads
	second := begin("second")
	defer second.stop()
	leases := w.client.CoordinationV1().Leases(w.ns)
	await("the leader to renew for longer than a lease lasts", func() bool {
		spec := got(leases.Get(w, "lock", metav1.GetOptions{})).Spec
		equal(*spec.HolderIdentity, "first")
		return spec.RenewTime.Sub(spec.AcquireTime.Time) > 4*time.Second
	})
	first.stop()
	select {
	case <-second.leads:
	case <-time.After(waitFor):
		fail("nobody took over")
	}
	spec := got(leases.Get(w, "lock", metav1.GetOptions{})).Spec
	equal(fmt.Sprint(*spec.HolderIdentity, *spec.LeaseTransitions), "second1")
}
