/* What a request answers with, and what operations read from the store. */
#include <string.h>

#include "api/meta/key.h"
#include "api/meta/object.h"
#include "controlplane/apiserver/request.h"

/* Replies of this earlier attempt are looked for in at most so many versions of a key. */
#define REPLAY_VERSIONS_MAX 16

uint64_t request_now_ns(const struct request *r)
{
    return env_wall_ns(r->server->config.env);
}

struct resource_context request_context(struct request *r)
{
    return (struct resource_context){ .arena = &r->arena, .now_wall_ns = request_now_ns(r) };
}

void request_answer(struct request *r, int status, const char *content_type, struct str body)
{
    r->answer_status = status;
    r->answer_type = content_type;
    r->answer_body = body;
}

void request_header(struct request *r, const char *name, struct str value)
{
    if (r->answer_headers_count < REQUEST_HEADERS_MAX) {
        r->answer_headers[r->answer_headers_count++] =
            (struct http_header){ .name = str_from(name), .value = value };
    }
}

enum request_run request_answer_status(struct request *r)
{
    enum media_type type = r->media.type == MEDIA_YAML ? MEDIA_JSON : r->media.type;
    buf_clear(&r->out);
    status_encode(&r->arena, &r->status, type, &r->out);
    r->answer_head = str_lit("");
    request_answer(r, r->status.code, media_name(type, false), buf_str(&r->out));
    if (r->status.retry_after_s > 0) {
        request_header(r, "retry-after",
                       str_printf(&r->arena, "%lld", (long long)r->status.retry_after_s));
    }
    return RUN_ANSWER;
}

void request_warn(struct request *r, const char *text)
{
    for (size_t i = 0; i < r->warnings_count; i++) {
        if (strcmp(r->warnings[i], text) == 0) {
            return;
        }
    }
    size_t len = strlen(text);
    if (r->warnings_count == REQUEST_WARNINGS_MAX ||
        r->warnings_bytes + len > REQUEST_WARNING_BYTES) {
        return;
    }
    r->warnings[r->warnings_count++] = str_dup(&r->arena, str_from(text));
    r->warnings_bytes += len;
}

/* 299 - "text", with quotes and backslashes escaped and control characters made spaces. */
static struct str warning_value(struct request *r, const char *text)
{
    struct buf b;
    buf_init(&b);
    buf_append_c(&b, "299 - \"");
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\') {
            buf_append_byte(&b, '\\');
        }
        buf_append_byte(&b, (uint8_t)(((unsigned char)*c < 0x20 || *c == 0x7f) ? ' ' : *c));
    }
    buf_append_c(&b, "\"");
    struct str value = str_copy(&r->arena, buf_str(&b));
    buf_deinit(&b);
    return value;
}

/* The answer's headers in the arena: ours, the operation's, the warnings. */
static struct http_header *all_headers(struct request *r, const char *content_type,
                                       size_t *out_count)
{
    struct http_header *h =
        arena_array(&r->arena, 4 + r->answer_headers_count + r->warnings_count, sizeof(*h));
    size_t count = 0;
    bool cache_control = false;
    if (content_type != NULL) {
        h[count++] = (struct http_header){ str_lit("content-type"), str_from(content_type) };
    }
    h[count++] = (struct http_header){ str_lit("audit-id"),
                                       r->request_id.len > 0 ? r->request_id : str_lit("unknown") };
    for (size_t i = 0; i < r->answer_headers_count; i++) {
        cache_control = cache_control || str_eq_c(r->answer_headers[i].name, "cache-control");
        h[count++] = r->answer_headers[i];
    }
    if (!cache_control) {
        h[count++] = (struct http_header){ str_lit("cache-control"), str_lit("no-cache, private") };
    }
    for (size_t i = 0; i < r->warnings_count; i++) {
        h[count++] = (struct http_header){ str_lit("warning"), warning_value(r, r->warnings[i]) };
    }
    *out_count = count;
    return h;
}

void request_send_answer(struct request *r)
{
    size_t count = 0;
    struct http_header *headers = all_headers(r, r->answer_type, &count);
    if (r->answer_head.len == 0) {
        http_reply_headers(r->x, r->answer_status, headers, count, r->answer_body);
        return;
    }
    headers[count++] = (struct http_header){
        str_lit("content-length"),
        str_printf(&r->arena, "%zu", r->answer_head.len + r->answer_body.len),
    };
    http_respond(r->x, r->answer_status, headers, count);
    http_write(r->x, r->answer_head);
    http_write(r->x, r->answer_body);
    http_end(r->x);
}

void request_stream_head(struct request *r, const char *content_type)
{
    size_t count = 0;
    struct http_header *headers = all_headers(r, content_type, &count);
    http_respond(r->x, 200, headers, count);
}

/* ---- the store ---- */

struct str request_key(struct request *r, enum kind kind, struct str ns, struct str name)
{
    const struct key k = { .kind = kind, .namespace = ns, .name = name };
    return key_text(&r->arena, &k);
}

static int copy_version(struct request *r, const struct store_version *v, struct stored *out)
{
    struct err e;
    out->revision = v->revision;
    out->previous = v->previous;
    out->value = str_copy(&r->arena, v->value);
    out->request_id = str_copy(&r->arena, v->request_id);
    if (object_payload(out->value, &out->payload, &e) != 0) {
        return status_internal(&r->arena, &r->status, str_copy(&r->arena, str_from(e.msg)));
    }
    return 0;
}

static int read_failed(struct request *r, int rc)
{
    struct err e;
    if (rc != -ERR_NOT_FOUND) {
        (void)err_set(&e, (enum err_code) - rc, "the store cannot be read: %s", err_name(rc));
        (void)status_from_err(&r->arena, &r->status, rc, &e);
    }
    return rc;
}

int request_read(struct request *r, struct str key, struct stored *out)
{
    struct store_read read;
    struct store_version v;
    r->looked = true;
    int rc = store_read_begin(r->server->config.group, 0, &read);
    if (rc != 0) {
        return read_failed(r, rc);
    }
    rc = store_read_get(&read, key, &v);
    rc = rc == 0 ? copy_version(r, &v, out) : read_failed(r, rc);
    store_read_end(&read);
    return rc;
}

int request_read_version(struct request *r, struct str key, uint64_t revision, struct stored *out)
{
    struct store_read read;
    struct store_version v;
    int rc = store_read_begin(r->server->config.group, 0, &read);
    if (rc != 0) {
        return read_failed(r, rc);
    }
    rc = store_read_revision(&read, key, revision, &v);
    rc = rc == 0 ? copy_version(r, &v, out) : read_failed(r, rc);
    store_read_end(&read);
    return rc;
}

bool request_find_removed(struct request *r, struct str key, struct stored *out)
{
    struct store_read read;
    struct store_version gone;
    struct store_version old;
    if (!(r->request_id_sent || r->attempts > 0) ||
        store_read_begin(r->server->config.group, 0, &read) != 0) {
        return false;
    }
    bool found = store_read_removed(&read, key, &gone) == 0 &&
                 str_eq(gone.request_id, r->request_id) &&
                 store_read_revision(&read, key, gone.previous, &old) == 0 &&
                 copy_version(r, &old, out) == 0;
    if (found) {
        out->revision = gone.revision;
    }
    store_read_end(&read);
    return found;
}

bool request_find_replay(struct request *r, struct str key, const struct stored *newest,
                         struct stored *out)
{
    *out = *newest;
    bool possible = r->request_id_sent || r->attempts > 0;
    for (int i = 0; possible && i < REPLAY_VERSIONS_MAX; i++) {
        if (str_eq(out->request_id, r->request_id)) {
            return true;
        }
        uint64_t previous = out->previous;
        if (previous == 0 || request_read_version(r, key, previous, out) != 0) {
            return false;
        }
    }
    return false;
}
