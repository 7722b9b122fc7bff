/* See the header. One bounded read at the newest revision; nothing is decoded but metadata. */
#include "controlplane/apiserver/history.h"

#include "api/meta/object.h"
#include "api/meta/time.h"
#include "controlplane/apiserver/object.h"
#include "controlplane/apiserver/operations.h"

static const char prefix[] = "/gantry/v1/history";

struct history {
    struct request *request;
    uint64_t limit;
    uint64_t count;
};

bool history_target(struct str *target)
{
    size_t len = sizeof prefix - 1;
    if (!str_starts(*target, str_lit(prefix)) || target->len <= len || target->data[len] != '/') {
        return false;
    }
    *target = str_slice(*target, len, target->len);
    return true;
}

/* A number of the query; what is absent leaves *out. */
static int number(struct request *r, const char *name, uint64_t max, uint64_t *out)
{
    struct str text = route_param(&r->route, name);
    if (text.data == NULL || (str_to_u64(text, out) == 0 && *out > 0 && *out <= max)) {
        return 0;
    }
    return status_bad_request(&r->status, str_printf(&r->arena, "%s: not a number from 1 to %llu",
                                                     name, (unsigned long long)max));
}

static int history_prepare(struct request *r)
{
    uint64_t limit = HISTORY_LIMIT;
    uint64_t from = 0;
    int rc = number(r, "limit", HISTORY_LIMIT_MAX, &limit);
    rc = rc == 0 ? number(r, "from", UINT64_MAX, &from) : rc;
    if (rc != 0) {
        return rc;
    }
    struct history *h = arena_new(&r->arena, struct history);
    h->request = r;
    h->limit = limit;
    r->state = h;
    r->revision = from;
    return 0;
}

static const char *change_of(const struct store_version *v, const struct object_meta *meta)
{
    if (v->tombstone) {
        return "deleted";
    }
    if (meta->deleting) {
        return "deleting";
    }
    return v->version == 1 ? "created" : "updated";
}

static bool visit(void *ctx, const struct store_version *v)
{
    struct history *h = ctx;
    struct buf *out = &h->request->out;
    struct object_meta meta = { 0 };
    struct str payload;
    if (h->count == h->limit) {
        return false;
    }
    if (!v->tombstone && object_payload(v->value, &payload, NULL) == 0) {
        object_meta_scan(payload, &meta);
    }
    buf_printf(out, "%s{\"revision\":\"%llu\",\"change\":\"%s\"", h->count > 0 ? "," : "",
               (unsigned long long)v->revision, change_of(v, &meta));
    if (v->version == 1 && meta.creation_seconds != 0) {
        char text[TIME_TEXT_MAX];
        (void)time_format(meta.creation_seconds, text);
        buf_printf(out, ",\"time\":\"%s\"", text);
    }
    buf_printf(out, ",\"bytes\":%zu}", v->value.len);
    h->count++;
    return true;
}

static enum request_run history_run(struct request *r)
{
    struct history *h = r->state;
    struct str key = request_key(r, r->kind->kind, r->route.ns, r->route.name);
    struct store_read read;
    uint64_t next = 0;
    struct err e;
    int rc = store_read_begin(r->server->config.group, 0, &read);
    if (rc != 0) {
        (void)err_set(&e, (enum err_code) - rc, "the store cannot be read: %s", err_name(rc));
        (void)status_from_err(&r->arena, &r->status, rc, &e);
        return RUN_FAIL;
    }
    buf_clear(&r->out);
    buf_printf(&r->out,
               "{\"kind\":\"History\",\"apiVersion\":\"gantry/v1\",\"resourceVersion\":\"%llu\","
               "\"oldest\":\"%llu\",\"versions\":[",
               (unsigned long long)read.revision,
               (unsigned long long)store_read_compacted(&read, key));
    h->count = 0;
    rc = store_read_history(&read, key, r->revision, visit, h, &next);
    store_read_end(&read);
    if (rc != 0) {
        (void)status_not_found(&r->arena, &r->status, r->kind, r->route.name);
        return RUN_FAIL;
    }
    buf_append_c(&r->out, "]");
    if (next != 0) {
        buf_printf(&r->out, ",\"next\":\"%llu\"", (unsigned long long)next);
    }
    buf_append_c(&r->out, "}");
    return object_answer_out(r, 200);
}

const struct operation operation_history = {
    .name = "history",
    .mode = READ_FRESH,
    .allow = MEDIA_ALLOW_YAML,
    .prepare = history_prepare,
    .run = history_run,
};
