/* What a request answers with, and what operations read from the store. */
#include <string.h>

#include "api/meta/key.h"
#include "api/meta/object.h"
#include "api/schema/yaml.h"
#include "base/assert.h"
#include "controlplane/apiserver/request.h"
#include "net/gzip.h"

/* Replies of this earlier attempt are looked for in at most so many versions of a key. */
#define REPLAY_VERSIONS_MAX 16

#define ANSWER_ADOPT_BYTES  (64u << 10)

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

/* JSON of a Status as the client wants to see it. */
static void dress_status(struct request *r)
{
    struct err e;
    const struct json *tree = NULL;
    /* Who takes no type of ours is told so in JSON for people. */
    bool indent = r->pretty || r->status.code == err_http_status(ERR_NOT_ACCEPTABLE);
    if (r->media.type != MEDIA_YAML && !indent) {
        return;
    }
    struct str text = str_copy(&r->arena, buf_str(&r->out));
    text.len -= text.len > 0; /* the line feed */
    buf_clear(&r->out);
    if (r->media.type != MEDIA_YAML) {
        json_indent(&r->out, text);
        return;
    }
    int rc = json_parse(&r->arena, text, &tree, &e);
    rc = rc == 0 ? yaml_write(&r->out, tree, &e) : rc;
    ASSERT(rc == 0); /* our own text */
}

enum request_run request_answer_status(struct request *r)
{
    buf_clear(&r->out);
    status_encode(&r->arena, &r->status, r->media.type, &r->out);
    if (r->media.type != MEDIA_PROTOBUF) {
        dress_status(r);
    }
    r->answer_head = str_lit("");
    request_answer(r, r->status.code, media_name(r->media.type, false), buf_str(&r->out));
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
    if (r->warnings_count < REQUEST_WARNINGS_MAX && text[0] != '\0') {
        r->warnings[r->warnings_count++] = str_dup(&r->arena, str_from(text));
    }
}

/* Code points of a text, and where the cut is. */
static size_t count_runes(const char *text, size_t *out_cut)
{
    size_t runes = 0;
    *out_cut = strlen(text);
    for (const char *c = text; *c != '\0'; c++) {
        bool begins = ((unsigned char)*c & 0xc0) != 0x80;
        if (begins && runes == REQUEST_WARNING_RUNES_CUT) {
            *out_cut = (size_t)(c - text);
        }
        runes += begins;
    }
    return runes;
}

/* Cuts the warnings to what may be told and returns how many are. */
static size_t limit_warnings(struct request *r)
{
    size_t total = 0;
    size_t written = 0;
    size_t cut;
    for (size_t i = 0; i < r->warnings_count; i++) {
        total += count_runes(r->warnings[i], &cut);
    }
    if (total <= REQUEST_WARNINGS_RUNES_MAX) {
        return r->warnings_count;
    }
    for (size_t i = 0; i < r->warnings_count; i++) {
        size_t runes = count_runes(r->warnings[i], &cut);
        if (written >= REQUEST_WARNINGS_RUNES_MAX) {
            return i;
        }
        written += runes < REQUEST_WARNING_RUNES_CUT ? runes : REQUEST_WARNING_RUNES_CUT;
        r->warnings[i] = str_dup(&r->arena, str_of(r->warnings[i], cut));
    }
    return r->warnings_count;
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
    size_t warnings = limit_warnings(r);
    for (size_t i = 0; i < warnings; i++) {
        h[count++] = (struct http_header){ str_lit("warning"), warning_value(r, r->warnings[i]) };
    }
    *out_count = count;
    return h;
}

/* A large answer changes hands; a small one is copied, so that it keeps no room to grow. */
static void send_body(struct request *r)
{
    if (r->answer_body.len < ANSWER_ADOPT_BYTES ||
        r->answer_body.data != (const char *)r->out.data) {
        http_write(r->x, r->answer_body);
        return;
    }
    struct shared *body = shared_adopt(&r->out);
    http_write_shared(r->x, body);
    shared_unref(body);
}

bool request_packs_answer(const struct request *r)
{
    for (size_t i = 0; i < r->answer_headers_count; i++) {
        if (str_eq_c(r->answer_headers[i].name, "content-encoding")) {
            return false; /* packed already */
        }
    }
    return r->takes_gzip && r->answer_head.len + r->answer_body.len > REQUEST_GZIP_BYTES_MIN;
}

void request_pack_answer(struct env_work *w)
{
    struct request *r = container_of(w, struct request, work);
    struct buf whole;
    buf_init(&r->packed);
    buf_init(&whole);
    if (r->answer_head.len > 0) {
        buf_append_str(&whole, r->answer_head);
        buf_append_str(&whole, r->answer_body);
    }
    gzip_pack_fast(&r->packed, r->answer_head.len > 0 ? buf_str(&whole) : r->answer_body);
    buf_deinit(&whole);
}

void request_use_packed(struct request *r)
{
    buf_deinit(&r->out);
    r->out = r->packed;
    r->answer_head = str_lit("");
    r->answer_body = buf_str(&r->out);
    request_header(r, "content-encoding", str_lit("gzip"));
    request_header(r, "vary", str_lit("Accept-Encoding"));
}

void request_send_answer(struct request *r)
{
    size_t count = 0;
    struct http_header *headers = all_headers(r, r->answer_type, &count);
    if (r->answer_head.len == 0 && r->answer_body.len < ANSWER_ADOPT_BYTES) {
        http_reply_headers(r->x, r->answer_status, headers, count, r->answer_body);
        return;
    }
    headers[count++] = (struct http_header){
        str_lit("content-length"),
        str_printf(&r->arena, "%zu", r->answer_head.len + r->answer_body.len),
    };
    http_respond(r->x, r->answer_status, headers, count);
    http_write(r->x, r->answer_head);
    send_body(r);
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

/* Why nothing can be read at this revision, in words for a person. */
static int not_kept(struct request *r, uint64_t revision, int rc, uint64_t oldest)
{
    struct err e;
    if (rc == -ERR_EXPIRED) {
        rc = err_set(&e, ERR_EXPIRED, "revision %llu is compacted; the oldest kept is %llu",
                     (unsigned long long)revision, (unsigned long long)oldest);
    } else {
        uint64_t newest = store_published(r->server->config.group);
        rc = err_set(&e, ERR_INVALID_ARGUMENT, "revision %llu is yet to come; the newest is %llu",
                     (unsigned long long)revision, (unsigned long long)newest);
    }
    return status_from_err(&r->arena, &r->status, rc, &e);
}

int request_read_at(struct request *r, struct str key, uint64_t revision, struct stored *out)
{
    struct store_group *g = r->server->config.group;
    struct store_read read;
    struct store_version v;
    r->looked = true;
    int rc = store_read_begin(g, revision, &read);
    if (rc == -ERR_EXPIRED || rc == -ERR_INVALID_ARGUMENT) {
        return not_kept(r, revision, rc, store_compacted(g));
    }
    if (rc != 0) {
        return read_failed(r, rc);
    }
    rc = store_read_get(&read, key, &v);
    uint64_t oldest = store_read_compacted(&read, key);
    rc = rc == 0              ? copy_version(r, &v, out)
         : rc == -ERR_EXPIRED ? not_kept(r, revision, rc, oldest)
                              : read_failed(r, rc);
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
