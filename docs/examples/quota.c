/*
 * An example controller: a Namespace labelled example.com/pods=N has a ResourceQuota of N pods.
 *
 * Two reflectors hold the labelled namespaces and quotas in memory, whichever server answers. Any
 * change of either queues the namespace. Work looks at both caches, never at what changed, so that
 * nothing missed matters, and asks for one thing: an apply of what is wanted, which also mends what
 * somebody else did to it, or a delete of what is not. What fails is tried again, ever more rarely.
 */
#include <stdio.h>

#include "api/client/client_http.h"
#include "api/client/kubeconfig.h"
#include "api/client/reflector.h"
#include "api/client/workqueue.h"
#include "api/meta/object.h"
#include "base/arena.h"
#include "base/env_uv.h"
#include "base/log.h"

#define LABEL "example.com/pods" /* of both */
#define NAME  "pods"             /* the quota's */

struct quota {
    struct env_msg start;
    struct client_http *http;
    struct workqueue *queue;
    struct reflector *namespaces;
    struct reflector *quotas;
    struct client_call call; /* one at a time */
    struct str key;          /* its namespace; empty: none is under way */
    char wanted[64];         /* the namespace's label; a value has at most 63 bytes */
    char body[512];
};

static void removed(void *ctx, const struct lister_item *item)
{
    bool is_namespace = item->namespace.len == 0;
    workqueue_add(((struct quota *)ctx)->queue, is_namespace ? item->name : item->namespace);
}

static void changed(void *ctx, const struct lister_item *old, const struct lister_item *item)
{
    (void)old;
    removed(ctx, item);
}

static void advanced(void *ctx, uint64_t revision)
{
    (void)revision;
    workqueue_kick(((struct quota *)ctx)->queue); /* perhaps both are synced by now */
}

static bool read_label(void *out, const struct lister_item *item)
{
    struct object_meta meta;
    struct str pods;
    object_meta_scan(item->bytes, &meta);
    if (!meta.deleting && object_meta_label(&meta, str_lit(LABEL), &pods))
        snprintf(out, 64, "%.*s", STR_ARG(pods));
    return true;
}

static void look(struct reflector *r, struct str namespace, struct str name, char *out_label)
{
    struct lister *l = reflector_lister(r);
    (void)l->ops->get(l, namespace, name, read_label, out_label); /* not there: it stays empty */
}

static void end(struct quota *q)
{
    workqueue_done(q->queue, q->key);
    q->key.len = 0;
}

static void work(void *ctx);

static void call_done(struct client_call *c)
{
    struct quota *q = c->priv;
    bool ok = c->status == 0 || (c->verb == CLIENT_DELETE && c->status == -ERR_NOT_FOUND);
    log_info(c->verb == CLIENT_DELETE ? "quota deleted" : "quota applied", KVS("namespace", q->key),
             KV("pods", q->wanted), KV("outcome", ok ? "done" : c->err.msg));
    (ok ? workqueue_forget : workqueue_add_limited)(q->queue, q->key);
    end(q);
    work(q);
}

static void work(void *ctx)
{
    struct quota *q = ctx;
    while (reflector_synced(q->namespaces) && reflector_synced(q->quotas) && q->key.len == 0 &&
           workqueue_get(q->queue, &q->key)) {
        char there[64] = "";
        q->wanted[0] = '\0';
        look(q->namespaces, str_lit(""), q->key, q->wanted);
        look(q->quotas, q->key, str_lit(NAME), there);
        q->call = (struct client_call){ .verb = CLIENT_DELETE, .done = call_done, .priv = q };
        q->call.kind = KIND_RESOURCE_QUOTA;
        q->call.namespace = q->key;
        q->call.name = str_lit(NAME);
        if (q->wanted[0] != '\0') {
            snprintf(q->body, sizeof q->body,
                     "{apiVersion: v1, kind: ResourceQuota, metadata: {name: " NAME
                     ", labels: {" LABEL ": '%s'}}, spec: {hard: {pods: '%s'}}}",
                     q->wanted, q->wanted);
            q->call.verb = CLIENT_PATCH;
            q->call.content = CLIENT_APPLY;
            q->call.query = str_lit("fieldManager=quota-example&force=true");
            q->call.body = str_from(q->body);
        }
        if (q->wanted[0] != '\0' || there[0] != '\0')
            client_call(client_http_client(q->http), &q->call);
        else
            end(q);
    }
}

static struct reflector *follow(struct quota *q, enum kind kind)
{
    struct reflector_config config = { .kind = kind, .label_selector = str_lit(LABEL), .ctx = q };
    config.client = client_http_client(q->http);
    config.upsert = changed;
    config.removed = removed;
    config.advanced = advanced;
    return reflector_new(&config);
}

static void start(struct env_msg *m)
{
    struct quota *q = container_of(m, struct quota, start);
    reflector_start(q->namespaces = follow(q, KIND_NAMESPACE));
    reflector_start(q->quotas = follow(q, KIND_RESOURCE_QUOTA));
}

int main(int argc, char **argv)
{
    struct env_loop *loop = env_loop_new(env_uv_new(), "quota");
    struct quota q = { .wanted = "" };
    struct kubeconfig k; /* "*": every member's context: when one stops, the next is asked */
    struct arena arena;
    struct err e = { .msg = "usage: quota KUBECONFIG" };
    arena_init(&arena);
    if (argc != 2 || kubeconfig_load(env_of(loop), &arena, argv[1], str_lit("*"), &k, &e) != 0 ||
        client_http_open(loop, &k, "quota-example/1", &q.http, &e) != 0)
        return fprintf(stderr, "%s\n", e.msg), 1;
    q.queue = workqueue_new(
        &(struct workqueue_config){ .loop = loop, .name = "quota", .ready = work, .ctx = &q });
    env_post(loop, &q.start, start);
    env_loop_run(loop); /* until a signal ends the process: it keeps nothing that could be lost */
}
