/*
 * gantry port-forward: local ports that lead to a pod's.
 *
 * The first tunnel is opened before anything is listened on, so that what is not allowed is said at
 * once; it serves the first connection. Each other connection opens its own (cli/tunnel.h), at
 * whichever member answers: they outlive a member. It ends with the pod (cli/pod_end.h), or by ^C.
 *
 * A connection: accepted -> its tunnel opens, while nothing is read -> bytes both ways, each side
 * held back by the other -> the pod's end is passed on, and ours -> what the pod sent was taken, or
 * the local side is gone -> closed. One that fails is said, and ends alone. On close every stream
 * and tunnel is closed and waited for; `live` counts them.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/list.h"
#include "cli/ask.h"
#include "cli/compose.h"
#include "cli/pod_end.h"
#include "cli/pods.h"
#include "cli/ports.h"
#include "cli/tunnel.h"

/* At once; one more is closed. */
#define CONNECTIONS_MAX 1000
/* Of one command. */
#define PORTS_MAX 64
/* Bytes that wait on one side before the other is held back. */
#define QUEUE_BYTES (256u << 10)
/* How often to look at a local side that no event tells of: at first, and at last. */
#define LOOK_FIRST_MS 20
#define LOOK_LAST_MS  1000

struct port_forward_options {
    struct flag_texts addresses;
    const char *pod_running_timeout;
};

static const struct flag port_forward_flags[] = {
    { .name = "address",
      .type = FLAG_LIST,
      .at = offsetof(struct port_forward_options, addresses),
      .help = "Local addresses to listen on, with commas between them: IP addresses, or localhost "
              "(the default), which is 127.0.0.1 and ::1 and needs one of the two." },
    { .name = "pod-running-timeout",
      .at = offsetof(struct port_forward_options, pod_running_timeout),
      .value = "1m0s",
      .help = "Taken for kubectl's sake; pods are not waited for." },
    { 0 }
};

struct forward;

struct listening {
    struct forward *forward;
    struct env_listener *listener;
    struct ports_pair *port;
};

struct connection {
    struct list node;
    struct forward *forward;
    struct ports_pair *port;
    struct env_stream *local; /* NULL: not yet, or closed */
    struct tunnel tunnel;
    struct env_timer look;
    uint64_t look_ms;
    bool held; /* the pod's bytes, until the local side takes what there is */
    bool local_gone;
    bool tunnel_done;
};

struct forward {
    struct cli *cli;
    struct env_loop *loop;
    const struct json *pod;
    const char *target;
    struct ports_pair ports[PORTS_MAX];
    size_t ports_count;
    struct ports_address addresses[2 * FLAGS_VALUES_MAX];
    size_t addresses_count;
    struct listening *listenings;
    size_t listenings_count;
    struct list connections;
    size_t live;              /* connections, and the watch of the pod */
    struct connection *spare; /* opened first; its tunnel waits for a connection */
    struct pod_end end;
    bool listens;
    bool stopping;
    int code;
};

static struct connection *connection_of(struct tunnel *t)
{
    return container_of(t, struct connection, tunnel);
}

/* ---- the end of everything ---- */

static void one_less(struct forward *f)
{
    if (--f->live == 0)
        env_loop_stop(f->loop);
}

static void connection_close(struct connection *c)
{
    tunnel_cancel(&c->tunnel);
    if (c->local != NULL && !c->local_gone) {
        c->local_gone = true;
        env_stream_close(c->local);
    }
}

static void stop(struct forward *f, int code)
{
    if (f->stopping)
        return;
    f->stopping = true;
    f->code = code;
    for (size_t i = 0; i < f->listenings_count; i++)
        env_listener_close(f->listenings[i].listener);
    f->listenings_count = 0;
    for (struct list *n = f->connections.next; n != &f->connections; n = n->next)
        connection_close(container_of(n, struct connection, node));
    pod_end_stop(&f->end);
}

static void connection_free(struct connection *c)
{
    struct forward *f = c->forward;
    if (!c->tunnel_done || c->local != NULL)
        return;
    tunnel_deinit(&c->tunnel);
    env_timer_deinit(&c->look);
    list_remove(&c->node);
    if (f->spare == c)
        f->spare = NULL;
    mem_free(c);
    one_less(f);
}

/* ---- what no event tells of a local side ---- */

/*
 * It has said its last word, or the tunnel its: then it may be gone without a sound, or may still
 * have to take what the tunnel brought, however slow it is.
 */
static void on_look(struct env_timer *timer)
{
    struct connection *c = container_of(timer, struct connection, look);
    if (c->local == NULL || c->local_gone)
        return;
    if (env_stream_broken(c->local) || (c->tunnel_done && env_stream_queued(c->local) == 0)) {
        connection_close(c);
        return;
    }
    env_timer_start(timer, c->look_ms);
    c->look_ms = c->look_ms < LOOK_LAST_MS / 2 ? c->look_ms * 2 : LOOK_LAST_MS;
}

static void look_at_local(struct connection *c)
{
    c->look_ms = LOOK_FIRST_MS;
    env_timer_start(&c->look, c->look_ms);
}

/* ---- from here to the pod ---- */

static void local_data(void *ctx, struct str bytes)
{
    struct connection *c = ctx;
    tunnel_write(&c->tunnel, bytes);
    if (tunnel_queued(&c->tunnel) > QUEUE_BYTES)
        env_stream_pause(c->local);
}

static void local_end(void *ctx, int status)
{
    struct connection *c = ctx;
    if (status != 0) {
        connection_close(c);
        return;
    }
    if (!c->tunnel_done)
        tunnel_end(&c->tunnel);
    look_at_local(c);
}

static void local_closed(void *ctx)
{
    struct connection *c = ctx;
    c->local = NULL;
    connection_free(c);
}

static void tunnel_is_drained(struct tunnel *t)
{
    struct connection *c = connection_of(t);
    if (c->local != NULL && !c->local_gone)
        env_stream_resume(c->local);
}

/* ---- from the pod to here ---- */

static void tunnel_has_data(struct tunnel *t, struct str bytes)
{
    struct connection *c = connection_of(t);
    if (c->local == NULL || c->local_gone)
        return;
    env_stream_write(c->local, bytes);
    if (!c->held && env_stream_queued(c->local) > QUEUE_BYTES) {
        c->held = true;
        tunnel_pause(t, true);
    }
}

static void local_drained(void *ctx)
{
    struct connection *c = ctx;
    if (!c->held)
        return;
    c->held = false;
    tunnel_pause(&c->tunnel, false);
}

static void tunnel_has_ended(struct tunnel *t)
{
    struct connection *c = connection_of(t);
    if (c->local != NULL && !c->local_gone)
        env_stream_shutdown(c->local);
}

/* ---- tunnels ---- */

/* Why a tunnel could not be had: as a refusal of the server, or as a sentence. */
static void tell_refusal(struct forward *f, struct tunnel *t)
{
    const struct ask_answer answer = { .status = t->socket.http_status,
                                       .body = buf_str(&t->socket.refusal) };
    struct str message = ask_message(f->cli, &answer);
    if (answer.status == 0)
        (void)cli_error("Unable to connect to the server: %s", err_name(t->socket.status));
    else if (message.len > 0)
        (void)cli_error("error upgrading connection: %.*s", STR_ARG(message));
    else
        (void)cli_error("error upgrading connection: unable to upgrade connection: %.*s",
                        STR_ARG(str_trim(answer.body)));
}

static void tell_failure(struct connection *c)
{
    struct tunnel *t = &c->tunnel;
    if (t->error.len > 0)
        (void)cli_error("an error occurred forwarding %u -> %u: %.*s", (unsigned)c->port->local,
                        (unsigned)c->port->remote, STR_ARG(str_trim(buf_str(&t->error))));
    else if (!t->open)
        tell_refusal(c->forward, t);
    else if (!t->ended && !t->over && !c->local_gone)
        (void)cli_error("an error occurred forwarding %u -> %u: the connection to the server was "
                        "lost",
                        (unsigned)c->port->local, (unsigned)c->port->remote);
}

static void tunnel_is_done(struct tunnel *t)
{
    struct connection *c = connection_of(t);
    struct forward *f = c->forward;
    c->tunnel_done = true;
    if (c->port != NULL && !f->stopping)
        tell_failure(c);
    if (!f->listens && !f->stopping) { /* the first one, and it was refused */
        tell_refusal(f, t);
        stop(f, CLI_FAILED);
    } else if (t->socket.http_status == 404 && !f->stopping) {
        stop(f, cli_error("lost connection to pod"));
    }
    if (c->local == NULL) {
        connection_free(c);
        return;
    }
    if (!c->local_gone && t->open && t->error.len == 0)
        tunnel_has_ended(t);
    look_at_local(c);
}

static void tunnel_is_open(struct tunnel *t);

static struct connection *connection_new(struct forward *f)
{
    struct connection *c = mem_alloc(sizeof *c);
    c->forward = f;
    c->tunnel = (struct tunnel){ .cli = f->cli,
                                 .loop = f->loop,
                                 .target = f->target,
                                 .opened = tunnel_is_open,
                                 .data = tunnel_has_data,
                                 .end = tunnel_has_ended,
                                 .drained = tunnel_is_drained,
                                 .done = tunnel_is_done };
    env_timer_init(f->loop, &c->look, on_look);
    list_append(&f->connections, &c->node);
    f->live++;
    tunnel_open(&c->tunnel);
    return c;
}

/* ---- listening ---- */

static void drop(void *ctx)
{
    (void)ctx; /* a stream that nobody wanted */
}

static void on_accept(void *ctx, struct env_stream *s)
{
    static const struct env_stream_events events = {
        .data = local_data, .end = local_end, .drained = local_drained, .closed = local_closed
    };
    static const struct env_stream_events none = { .closed = drop };
    struct listening *l = ctx;
    struct forward *f = l->forward;
    if (f->stopping || f->live >= CONNECTIONS_MAX) {
        if (!f->stopping)
            (void)cli_error("more than %d connections at once", CONNECTIONS_MAX);
        env_stream_start(s, &none, NULL);
        env_stream_close(s);
        return;
    }
    printf("Handling connection for %u\n", (unsigned)l->port->local);
    (void)fflush(stdout); /* a reader that has gone is none of the connection's business */
    struct connection *c = f->spare != NULL ? f->spare : connection_new(f);
    f->spare = NULL;
    c->port = l->port;
    c->local = s;
    env_stream_start(s, &events, c);
    if (!c->tunnel.open)
        env_stream_pause(s);
    tunnel_start(&c->tunnel, l->port->remote);
}

/* "127.0.0.1:80", "[::1]:80". */
static const char *host_port(struct arena *a, const struct ports_address *h, unsigned port)
{
    return str_printf(a, h->v6 ? "[%s]:%u" : "%s:%u", h->host, port).data;
}

static bool listen_one(struct forward *f, const struct ports_address *h, struct ports_pair *port,
                       struct buf *errors)
{
    struct arena *a = &f->cli->arena;
    struct listening *l = &f->listenings[f->listenings_count];
    const char *where = host_port(a, h, port->local);
    struct err e;
    *l = (struct listening){ .forward = f, .port = port };
    const char *address = str_printf(a, "tcp:%s", where).data;
    if (env_listen(f->loop, address, false, on_accept, l, &l->listener, &e) != 0) {
        const char *why = strrchr(e.msg, ':'); /* what stands before it is said here */
        buf_printf(errors, "%sunable to create listener: Error listen %s %s: bind%s",
                   errors->len > 0 ? " " : "", h->v6 ? "tcp6" : "tcp4", where,
                   why != NULL ? why : "");
        return false;
    }
    port->local = (uint16_t)env_listener_port(l->listener);
    printf("Forwarding from %s -> %u\n", host_port(a, h, port->local), (unsigned)port->remote);
    f->listenings_count++;
    return true;
}

/* One of localhost's addresses is enough; of the others each is needed. */
static bool listen_port(struct forward *f, struct ports_pair *port)
{
    struct buf errors;
    size_t asked = 0;
    size_t got = 0;
    bool good = true;
    buf_init(&errors);
    for (size_t i = 0; i < f->addresses_count; i++) {
        const struct ports_address *h = &f->addresses[i];
        bool one = listen_one(f, h, port, &errors);
        asked += h->of_localhost ? 1 : 0;
        got += h->of_localhost && one ? 1 : 0;
        good = good && (one || h->of_localhost);
    }
    good = good && (asked == 0 || got > 0);
    if (!good)
        (void)fprintf(stderr,
                      "Unable to listen on port %u: Listeners failed to create with the following "
                      "errors: [%.*s]\n",
                      (unsigned)port->local, STR_ARG(buf_str(&errors)));
    buf_deinit(&errors);
    return good;
}

static void listen_all(struct forward *f)
{
    struct buf ports;
    bool some = false;
    f->listens = true;
    f->listenings =
        arena_array(&f->cli->arena, f->ports_count * f->addresses_count, sizeof *f->listenings);
    buf_init(&ports);
    for (size_t i = 0; i < f->ports_count; i++) {
        some = listen_port(f, &f->ports[i]) || some;
        buf_printf(&ports, "%s{%u %u}", i > 0 ? " " : "", (unsigned)f->ports[i].local,
                   (unsigned)f->ports[i].remote);
    }
    (void)fflush(stdout); /* whoever started us waits for these lines */
    if (!some)
        stop(f, cli_error("unable to listen on any of the requested ports: [%.*s]",
                          STR_ARG(buf_str(&ports))));
    buf_deinit(&ports);
}

static void tunnel_is_open(struct tunnel *t)
{
    struct connection *c = connection_of(t);
    if (c->local != NULL && !c->local_gone)
        env_stream_resume(c->local);
    else if (!c->forward->listens && !c->forward->stopping)
        listen_all(c->forward);
}

/* ---- the verb ---- */

static void on_pod_gone(struct pod_end *p)
{
    stop(container_of(p, struct forward, end), cli_error("lost connection to pod"));
}

static void on_watch_stopped(struct pod_end *p)
{
    one_less(container_of(p, struct forward, end));
}

static void on_signal(void *ctx, int number)
{
    stop(ctx, number == SIGINT ? CLI_OK : 128 + number);
}

static int run(struct forward *f)
{
    f->loop = env_loop_new(f->cli->env, "forward");
    f->end.cli = f->cli;
    f->end.loop = f->loop;
    f->end.pod = f->pod;
    f->end.gone = on_pod_gone;
    f->end.stopped = on_watch_stopped;
    f->live = 1;
    list_init(&f->connections);
    env_on_terminate(f->loop, on_signal, f); /* a reader that has gone is none of its ends, too */
    pod_end_start(&f->end);
    f->spare = connection_new(f);
    env_loop_run(f->loop);
    env_loop_free(f->loop);
    return f->code;
}

static int find_ports(struct forward *f, const struct port_forward_options *o,
                      const struct pods *pods, const struct words *w)
{
    static const struct flag_texts localhost = { .items = { "localhost" }, .count = 1 };
    struct arena *a = &f->cli->arena;
    struct str phase = compose_text_in(f->pod, "status", "phase");
    struct err e;
    if (w->count - 1 > PORTS_MAX)
        return cli_error("more than %d ports", PORTS_MAX);
    f->ports_count = w->count - 1;
    if (ports_read(a, &w->items[1], f->ports_count, pods->object, f->pod, f->ports, &e) != 0)
        return cli_error("%s", e.msg);
    if (!str_eq_c(phase, "Running"))
        return cli_error("unable to forward port because pod is not running. Current status=%.*s",
                         STR_ARG(phase));
    if (ports_addresses(a, o->addresses.count > 0 ? &o->addresses : &localhost, f->addresses,
                        &f->addresses_count, &e) != 0)
        return cli_error("%s", e.msg);
    return CLI_OK;
}

static int port_forward_act(struct cli *c, const void *options, const struct words *w)
{
    struct forward *f = arena_new(&c->arena, struct forward);
    struct pods pods;
    if (w->count < 2)
        return cli_error("TYPE/NAME and list of ports are required for port-forward\nSee 'gantry "
                         "port-forward -h' for help and examples");
    if (pods_of_word(c, w->items[0], PODS_FOR_EXEC, /* all */ false, &pods) != CLI_OK)
        return CLI_FAILED;
    f->cli = c;
    f->pod = pods.items[0];
    f->target = str_printf(&c->arena, "%s/portforward", pods_path(c, f->pod)).data;
    return find_ports(f, options, &pods, w) == CLI_OK ? run(f) : CLI_FAILED;
}

const struct verb port_forward_verb = {
    .name = "port-forward",
    .summary = "local ports that lead to a pod's",
    .help = "port-forward (POD | TYPE/NAME) [LOCAL:]REMOTE... [flags]",
    .about = "Listens on local ports and passes connections on to ports of a pod, until the pod "
             "goes or ^C.\nREMOTE is a port of the pod, or with a service one of the service's, by "
             "number or name; LOCAL\nis the same number unless it is given. Nothing but this "
             "machine can reach the ports, unless\n--address says otherwise.",
    .examples = "  # Port 8080 here is port 8080 of the pod\n"
                "  gantry port-forward pod/web-1 8080\n\n"
                "  # Port 8888 here is port 80 there; and any free port leads to 443\n"
                "  gantry port-forward web-1 8888:80 :443\n\n"
                "  # A pod of a deployment; of a service, by the name of its port\n"
                "  gantry port-forward deployment/web 8080:80\n"
                "  gantry port-forward service/web 8443:https\n\n"
                "  # For other machines, too\n"
                "  gantry port-forward --address localhost,10.1.2.3 web-1 8888:80",
    .flags = port_forward_flags,
    .options_bytes = sizeof(struct port_forward_options),
    .completes = WORDS_PODS,
    .act = port_forward_act
};
