/* Image requests (see the header). Look → (queue → pull → look) → done. */
#include "kubelet-lite/images.h"

#include <stdio.h>
#include <string.h>

#include "api/proto/runtime.pb-c.h"
#include "base/arena.h"
#include "base/assert.h"
#include "base/map.h"

/* Images remembered as failing; beyond it the memory starts anew. */
#define FAILURES_MAX 512

struct failure {
    uint32_t count;
    uint64_t until_ns; /* wall clock */
    char text[ERR_MESSAGE_BYTES];
};

struct images {
    struct env_loop *loop;
    struct cri *cri;
    struct list waiting;
    struct list active;
    size_t pulls;
    struct map failures;
};

struct images *images_new(struct env_loop *loop, struct cri *cri)
{
    struct images *i = mem_alloc(sizeof *i);
    i->loop = loop;
    i->cri = cri;
    list_init(&i->waiting);
    list_init(&i->active);
    map_init(&i->failures);
    return i;
}

static void forget_all(struct images *i)
{
    map_foreach (it, &i->failures)
        mem_free(it.value);
    map_deinit(&i->failures);
    map_init(&i->failures);
}

void images_free(struct images *i)
{
    if (i == NULL)
        return;
    forget_all(i);
    map_deinit(&i->failures);
    mem_free(i);
}

static uint64_t wall(struct images *i)
{
    return env_wall_ns(env_of(i->loop));
}

static void finish(struct image_request *r, int status, const char *reason)
{
    r->status = status;
    r->reason = reason;
    r->done(r);
}

/* ---- looking ---- */

static void look(struct image_request *r, void (*done)(struct cri_call *c))
{
    Runtime__V1__ImageStatusRequest q = RUNTIME__V1__IMAGE_STATUS_REQUEST__INIT;
    Runtime__V1__ImageSpec spec = RUNTIME__V1__IMAGE_SPEC__INIT;
    spec.image = (char *)r->image;
    q.image = &spec;
    r->call.done = done;
    r->call.priv = r;
    cri_call_start(r->images->cri, &r->call, CRI_IMAGE_STATUS, &q);
}

/* false: the runtime does not have it. */
static bool take(struct image_request *r)
{
    const Runtime__V1__ImageStatusResponse *reply = r->call.reply;
    if (reply->image == NULL)
        return false;
    (void)snprintf(r->ref, sizeof r->ref, "%s", reply->image->id);
    (void)snprintf(r->user, sizeof r->user, "%s", reply->image->username);
    r->has_uid = reply->image->uid != NULL;
    r->uid = r->has_uid ? reply->image->uid->value : 0;
    r->size = reply->image->size;
    return true;
}

/* ---- pulling ---- */

static void pull_next(struct images *i);

static void fail(struct image_request *r)
{
    struct images *i = r->images;
    struct failure *f = map_get(&i->failures, str_from(r->image));
    if (f == NULL) {
        if (map_count(&i->failures) >= FAILURES_MAX)
            forget_all(i);
        f = mem_alloc(sizeof *f);
        (void)map_put(&i->failures, str_from(r->image), f);
    }
    uint64_t delay = IMAGES_BACKOFF_MIN_S;
    for (uint32_t n = 0; n < f->count && delay < IMAGES_BACKOFF_MAX_S; n++)
        delay *= 2;
    if (delay > IMAGES_BACKOFF_MAX_S)
        delay = IMAGES_BACKOFF_MAX_S;
    f->count++;
    f->until_ns = wall(i) + delay * ENV_S;
    (void)snprintf(f->text, sizeof f->text, "%s", r->err.msg);
    r->retry_ns = wall(i); /* at once: the next look says ImagePullBackOff */
    finish(r, r->err.code > 0 ? -(int)r->err.code : -ERR_INTERNAL, "ErrImagePull");
}

static void end_pull(struct image_request *r)
{
    list_remove(&r->node);
    r->images->pulls--;
    r->pull_ns = env_now_ns(env_of(r->images->loop)) - r->since_ns;
    pull_next(r->images);
}

static void on_looked_again(struct cri_call *c)
{
    struct image_request *r = c->priv;
    end_pull(r);
    r->err = c->err;
    if (c->status == 0 && take(r)) {
        struct failure *f = map_remove(&r->images->failures, str_from(r->image));
        mem_free(f);
        r->pulled = true;
        finish(r, 0, NULL);
        return;
    }
    if (c->status == 0)
        (void)err_set(&r->err, ERR_INTERNAL, "image \"%s\" is not there after its pull", r->image);
    fail(r);
}

static void on_pulled(struct cri_call *c)
{
    struct image_request *r = c->priv;
    if (c->status == 0) {
        look(r, on_looked_again);
        return;
    }
    end_pull(r);
    r->err = c->err;
    if (c->status == -ERR_UNAVAILABLE || c->status == -ERR_CANCELED)
        finish(r, c->status, NULL); /* the runtime is away: nobody's fault */
    else
        fail(r);
}

static void pull_next(struct images *i)
{
    while (i->pulls < IMAGES_PULLS_MAX) {
        struct list *node = list_pop(&i->waiting);
        if (node == NULL)
            return;
        struct image_request *r = container_of(node, struct image_request, node);
        Runtime__V1__PullImageRequest q = RUNTIME__V1__PULL_IMAGE_REQUEST__INIT;
        Runtime__V1__ImageSpec spec = RUNTIME__V1__IMAGE_SPEC__INIT;
        uint64_t now = env_now_ns(env_of(i->loop));
        spec.image = (char *)r->image;
        q.image = &spec;
        r->wait_ns = now - r->since_ns;
        r->since_ns = now;
        list_append(&i->active, &r->node);
        i->pulls++;
        r->call.done = on_pulled;
        cri_call_start(i->cri, &r->call, CRI_PULL_IMAGE, &q);
    }
}

static void on_looked(struct cri_call *c)
{
    struct image_request *r = c->priv;
    struct images *i = r->images;
    if (c->status != 0) {
        r->err = c->err;
        finish(r, c->status, "ImageInspectError");
        return;
    }
    bool there = take(r);
    if (there && strcmp(r->policy, "Always") != 0) {
        finish(r, 0, NULL);
        return;
    }
    if (strcmp(r->policy, "Never") == 0) {
        (void)err_set(&r->err, ERR_NOT_FOUND,
                      "Container image \"%s\" is not present with pull policy of Never", r->image);
        r->retry_ns = wall(i) + IMAGES_BACKOFF_MIN_S * ENV_S;
        finish(r, -ERR_NOT_FOUND, "ErrImageNeverPull");
        return;
    }
    const struct failure *f = map_get(&i->failures, str_from(r->image));
    if (f != NULL && f->until_ns > wall(i)) {
        (void)err_set(&r->err, ERR_UNAVAILABLE, "Back-off pulling image \"%s\": ErrImagePull: %s",
                      r->image, f->text);
        r->retry_ns = f->until_ns;
        finish(r, -ERR_AGAIN, "ImagePullBackOff");
        return;
    }
    r->since_ns = env_now_ns(env_of(i->loop));
    list_append(&i->waiting, &r->node);
    pull_next(i);
}

static void begin(struct images *i, struct image_request *r)
{
    r->images = i;
    r->status = 0;
    r->reason = NULL;
    r->err = (struct err){ 0 };
    r->pulled = false;
    r->retry_ns = 0;
    r->ref[0] = '\0';
}

void images_ensure(struct images *i, struct image_request *r)
{
    begin(i, r);
    look(r, on_looked);
}

static void on_looked_ahead(struct cri_call *c)
{
    struct image_request *r = c->priv;
    int status = c->status;
    if (status == 0 && (!take(r) || strcmp(r->policy, "Always") == 0))
        status = -ERR_NOT_FOUND;
    finish(r, status, NULL);
}

void images_look(struct images *i, struct image_request *r)
{
    begin(i, r);
    look(r, on_looked_ahead);
}

void image_request_deinit(struct image_request *r)
{
    cri_call_deinit(&r->call);
}

void images_load(const struct images *i, size_t *out_waiting, size_t *out_active,
                 uint64_t *out_oldest_ms)
{
    *out_waiting = list_count(&i->waiting);
    *out_active = i->pulls;
    *out_oldest_ms = 0;
    if (!list_empty(&i->waiting)) {
        const struct image_request *r = container_of(i->waiting.next, struct image_request, node);
        *out_oldest_ms = (env_now_ns(env_of(i->loop)) - r->since_ns) / ENV_MS;
    }
}
