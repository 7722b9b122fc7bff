// client-go against one member: typed and dynamic clients, discovery, informers, elections, in JSON and in protobuf.
// usage: clients_go; the member is KUBECONFIG's, and forgets its history in seconds
package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
)

const waitFor = 20 * time.Second

// world is what a run of the checks works with: one namespace, one encoding, a way to the member that can be cut.
type world struct {
	context.Context
	ns       string
	config   *rest.Config
	client   *kubernetes.Clientset
	dynamic  dynamic.Interface
	metadata metadata.Interface
	wire     *wire
}

// failure ends a check.
type failure string

func fail(format string, args ...any) {
	panic(failure(fmt.Sprintf(format, args...)))
}

func must(err error) {
	if err != nil {
		fail("%v", err)
	}
}

// got is for calls with an answer that must not fail.
func got[T any](answer T, err error) T {
	must(err)
	return answer
}

func equal[T comparable](got, want T) {
	if got != want {
		fail("%v is not %v", got, want)
	}
}

// is wants the error that the predicate tells.
func is(predicate func(error) bool, err error) {
	if err == nil || !predicate(err) {
		fail("another error was expected than: %v", err)
	}
}

func await(what string, condition func() bool) {
	end := time.Now().Add(waitFor)
	for !condition() {
		if time.Now().After(end) {
			fail("waited %v in vain for %s", waitFor, what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// wire is how a client reaches the member: its connections can be cut, and new ones made to wait.
type wire struct {
	mu          sync.Mutex
	held        chan struct{} // closed when connections are made again; nil: they are
	connections []net.Conn
	streamed    int // lists that were asked for as a watch
	listed      int
}

func (w *wire) dial(ctx context.Context, network, address string) (net.Conn, error) {
	w.mu.Lock()
	held := w.held
	w.mu.Unlock()
	if held != nil {
		<-held
	}
	connection, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err == nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.connections = append(w.connections, connection)
	}
	return connection, err
}

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, connection := range w.connections {
		connection.Close()
	}
	w.connections = nil
}

func (w *wire) hold() {
	w.mu.Lock()
	w.held = make(chan struct{})
	w.mu.Unlock()
	w.cut()
}

func (w *wire) release() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.held)
	w.held = nil
}

// lists says how many lists were asked for as a watch, and how many as a list.
func (w *wire) lists() (streamed, listed int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.streamed, w.listed
}

type counted struct {
	next http.RoundTripper
	wire *wire
}

func (c counted) RoundTrip(r *http.Request) (*http.Response, error) {
	query := r.URL.Query()
	c.wire.mu.Lock()
	if query.Get("sendInitialEvents") == "true" {
		c.wire.streamed++
	} else if r.Method == http.MethodGet && query.Get("watch") == "" {
		c.wire.listed++
	}
	c.wire.mu.Unlock()
	return c.next.RoundTrip(r)
}

// cuttable is a client of its own, over a wire of its own.
func (w *world) cuttable() *world {
	other := *w
	other.wire = &wire{}
	other.config = rest.CopyConfig(w.config)
	other.config.Dial = other.wire.dial
	other.config.Wrap(func(next http.RoundTripper) http.RoundTripper { return counted{next, other.wire} })
	other.connect()
	return &other
}

func (w *world) connect() {
	w.client = kubernetes.NewForConfigOrDie(w.config)
	plain := rest.CopyConfig(w.config)
	plain.ContentConfig = rest.ContentConfig{} // a dynamic client has no types to read protobuf with
	w.dynamic = dynamic.NewForConfigOrDie(plain)
	w.metadata = metadata.NewForConfigOrDie(w.config)
}

func newWorld(name, contentType string) *world {
	config := got(clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG")))
	config.ContentType = contentType
	config.AcceptContentTypes = contentType
	config.QPS, config.Burst = 1000, 1000
	w := &world{Context: context.Background(), ns: "clients-go-" + name, config: config}
	w.connect()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.ns}}
	got(w.client.CoreV1().Namespaces().Create(w, namespace, metav1.CreateOptions{}))
	return w
}

type check struct {
	name  string
	check func(*world)
}

var encodings = []struct{ name, contentType string }{
	{"json", "application/json"},
	{"protobuf", "application/vnd.kubernetes.protobuf"},
}

// run does one check and says whether it held.
func run(name string, check func(*world), w *world) (held bool) {
	began := time.Now()
	defer func() {
		if reason := recover(); reason != nil {
			if _, ours := reason.(failure); !ours {
				panic(reason)
			}
			fmt.Printf("FAIL: %s: %v\n", name, reason)
		}
		fmt.Printf("%6.2f s %s\n", time.Since(began).Seconds(), name)
	}()
	check(w)
	return true
}

func main() {
	klog.SetSlogLogger(slog.New(slog.DiscardHandler)) // what a cut wire makes the client say
	failed, total := 0, 0
	held := make(chan bool)
	for _, encoding := range encodings {
		w := newWorld(encoding.name, encoding.contentType)
		for _, c := range quick {
			total++
			if !run(encoding.name+" "+c.name, c.check, w) {
				failed++
			}
		}
		// These mostly wait: side by side.
		for _, c := range slow {
			total++
			go func() { held <- run(encoding.name+" "+c.name, c.check, w) }()
		}
	}
	for range len(slow) * len(encodings) {
		if !<-held {
			failed++
		}
	}
	fmt.Printf("clients_go: %d checks, %d failed\n", total, failed)
	if failed > 0 {
		os.Exit(1)
	}
}
