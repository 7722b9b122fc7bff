/*
 * One call at a time: each namespace is created, or found to exist, before the next. A failure
 * waits for the timer; losing the leadership stops it, and the fence refuses what was in flight.
 */
#include "controlplane/apiserver/bootstrap.h"

#include "api/client/client.h"
#include "api/meta/key.h"
#include "api/proto/core.pb-c.h"
#include "api/proto/meta.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "base/arena.h"
#include "base/buf.h"
#include "controlplane/apiserver/local.h"
#include "controlplane/apiserver/loop.h"

#define BOOTSTRAP_RETRY_MS 500
#define BOOTSTRAP_COUNT    4

static const char *const names[BOOTSTRAP_COUNT] = {
    "default",
    "kube-system",
    "kube-public",
    "kube-node-lease",
};

struct bootstrap {
    struct apiserver *server;
    struct client *client;
    struct store_leadership leadership;
    struct env_timer timer;
    struct client_call call;
    struct buf body;
    bool timer_made;
    bool leading;
    bool busy;
    uint64_t term;
    size_t next; /* of names */
};

static void create_next(struct bootstrap *b);

static void on_created(struct client_call *c)
{
    struct bootstrap *b = c->priv;
    b->busy = false;
    if (c->status == 0 || c->status == -ERR_ALREADY_EXISTS) {
        b->next++;
        create_next(b);
    } else {
        env_timer_start(&b->timer, BOOTSTRAP_RETRY_MS);
    }
}

static void pack_namespace(struct buf *out, const char *name)
{
    struct arena a;
    arena_init(&a);
    Namespace *n = schema_new(&a, &schema_Namespace);
    n->metadata = schema_new(&a, &schema_ObjectMeta);
    n->metadata->name = str_dup(&a, str_from(name));
    buf_clear(out);
    client_wrap(out, str_lit("v1"), str_lit("Namespace"),
                schema_pack_arena(&a, &schema_Namespace, n));
    arena_deinit(&a);
}

static void create_next(struct bootstrap *b)
{
    if (!b->leading || b->busy || b->next == BOOTSTRAP_COUNT) {
        return;
    }
    pack_namespace(&b->body, names[b->next]);
    b->busy = true;
    b->call = (struct client_call){ .verb = CLIENT_CREATE,
                                    .kind = KIND_NAMESPACE,
                                    .content = CLIENT_PROTOBUF,
                                    .body = buf_str(&b->body),
                                    .fence_term = b->term,
                                    .done = on_created,
                                    .priv = b };
    client_call(b->client, &b->call);
}

static void on_retry(struct env_timer *t)
{
    create_next(container_of(t, struct bootstrap, timer));
}

static void on_leadership(struct store_leadership *l, bool leading, uint64_t term)
{
    struct bootstrap *b = l->priv;
    b->leading = leading;
    b->term = term;
    b->next = 0;
    if (!b->timer_made) {
        env_timer_init(b->leadership.loop, &b->timer, on_retry);
        b->timer_made = true;
    }
    env_timer_stop(&b->timer);
    create_next(b);
}

struct bootstrap *bootstrap_new(struct apiserver *s)
{
    struct bootstrap *b = mem_alloc(sizeof(*b));
    b->server = s;
    buf_init(&b->body);
    b->client = local_client_new(&s->loops[0], "system:apiserver");
    b->leadership.loop = s->loops[0].loop;
    b->leadership.changed = on_leadership;
    b->leadership.priv = b;
    store_on_leadership(s->config.group, &b->leadership);
    return b;
}

void bootstrap_free(struct bootstrap *b)
{
    if (b == NULL) {
        return;
    }
    if (b->timer_made) {
        env_timer_deinit(&b->timer);
    }
    buf_deinit(&b->body);
    mem_free(b);
}

bool bootstrap_complete(const struct apiserver *s)
{
    struct store_read read;
    struct store_version v;
    struct arena a;
    bool all = store_read_begin(s->config.group, 0, &read) == 0;
    if (!all) {
        return false;
    }
    arena_init(&a);
    for (size_t i = 0; i < BOOTSTRAP_COUNT; i++) {
        const struct key k = { .kind = KIND_NAMESPACE, .name = str_from(names[i]) };
        all = all && store_read_get(&read, key_text(&a, &k), &v) == 0;
    }
    arena_deinit(&a);
    store_read_end(&read);
    return all;
}
