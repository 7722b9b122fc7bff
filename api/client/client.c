/* What every client has in common: submission checks, the envelope, and reading failures. */
#include "api/client/client.h"

#include <string.h>

#include "api/meta/peek.h"
#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"

/* runtime.Unknown and its TypeMeta; meta.v1 Status. */
enum { UNKNOWN_TYPE_META = 1, UNKNOWN_RAW = 2, UNKNOWN_ENCODING = 3, UNKNOWN_CONTENT_TYPE = 4 };
enum { TYPE_META_API_VERSION = 1, TYPE_META_KIND = 2 };
enum { STATUS_STATUS = 2, STATUS_MESSAGE = 3, STATUS_REASON = 4, STATUS_CODE = 6 };

static const char magic[4] = { 'k', '8', 's', 0 };

static bool call_fits(const struct client_call *c)
{
    bool named = c->name.len > 0;

    switch (c->verb) {
    case CLIENT_LIST:
    case CLIENT_DELETE_COLLECTION:
        return !named && c->subresource.len == 0;
    case CLIENT_CREATE:
        return named == (c->subresource.len > 0);
    case CLIENT_GET:
    case CLIENT_UPDATE:
    case CLIENT_PATCH:
    case CLIENT_DELETE:
        return named;
    }
    return false;
}

void client_call(struct client *c, struct client_call *call)
{
    ASSERT(env_on_loop(c->loop));
    ASSERT(call->done != NULL);
    ASSERT(call_fits(call));
    ASSERT(call->request_id.len <= CLIENT_REQUEST_ID_MAX);
    ASSERT((call->content == CLIENT_NO_BODY) == (call->body.len == 0));
    call->status = 0;
    call->http_status = 0;
    call->response = call->result = call->result_kind = str_of(NULL, 0);
    call->err.code = ERR_NONE;
    call->err.msg[0] = 0;
    call->impl = NULL;
    if (call->deadline_ms == 0)
        call->deadline_ms = env_loop_now_ms(c->loop) + CLIENT_CALL_TIMEOUT_MS;
    c->ops->call(c, call);
}

void client_cancel(struct client *c, struct client_call *call)
{
    ASSERT(env_on_loop(c->loop));
    c->ops->cancel(c, call);
}

void client_watch(struct client *c, struct client_watch *w)
{
    ASSERT(env_on_loop(c->loop));
    ASSERT(w->event != NULL && w->end != NULL);
    w->impl = NULL;
    c->ops->watch(c, w);
}

void client_unwatch(struct client *c, struct client_watch *w)
{
    ASSERT(env_on_loop(c->loop));
    c->ops->unwatch(c, w);
}

/* ---- the envelope ---- */

static void put_field(struct buf *out, uint32_t number, struct str bytes)
{
    buf_put_varint(out, number << 3 | PEEK_BYTES);
    buf_put_bytes(out, bytes);
}

static size_t varint_len(size_t v)
{
    size_t n = 1;

    for (; v >= 0x80; v >>= 7)
        n++;
    return n;
}

void client_wrap(struct buf *out, struct str api_version, struct str kind, struct str raw)
{
    size_t meta_len =
        2 + varint_len(api_version.len) + api_version.len + varint_len(kind.len) + kind.len;

    buf_append(out, magic, sizeof(magic));
    buf_put_varint(out, UNKNOWN_TYPE_META << 3 | PEEK_BYTES);
    buf_put_varint(out, meta_len);
    put_field(out, TYPE_META_API_VERSION, api_version);
    put_field(out, TYPE_META_KIND, kind);
    put_field(out, UNKNOWN_RAW, raw);
    put_field(out, UNKNOWN_ENCODING, str_of(NULL, 0));
    put_field(out, UNKNOWN_CONTENT_TYPE, str_of(NULL, 0));
}

int client_unwrap(struct str bytes, struct str *out_kind, struct str *out_raw)
{
    static const uint8_t kind_path[] = { UNKNOWN_TYPE_META, TYPE_META_KIND, 0 };
    static const uint8_t raw_path[] = { UNKNOWN_RAW, 0 };
    struct str unknown;

    if (!str_starts(bytes, str_of(magic, sizeof(magic))))
        return -ERR_PARSE;
    unknown = str_slice(bytes, sizeof(magic), bytes.len);
    *out_kind = peek_string(unknown, kind_path);
    *out_raw = peek_string(unknown, raw_path);
    return out_kind->len > 0 ? 0 : -ERR_PARSE;
}

/* ---- answers ---- */

enum err_code client_code(struct str reason, int http_status)
{
    /* By reason first: several codes share an HTTP status. ERR_TABLE's API part is in its first
     * rows, so the first match is the code seen by API clients. */
    for (int code = 1; code < ERR_COUNT; code++)
        if (reason.len > 0 && str_eq_c(reason, err_reason(code)))
            return (enum err_code)code;
    for (int code = 1; code < ERR_COUNT; code++)
        if (err_http_status(code) == http_status)
            return (enum err_code)code;
    return http_status >= 500 ? ERR_INTERNAL : ERR_INVALID_ARGUMENT;
}

static void read_failure(struct client_call *c)
{
    static const uint8_t message_path[] = { STATUS_MESSAGE, 0 };
    static const uint8_t reason_path[] = { STATUS_REASON, 0 };
    struct str reason = str_of(NULL, 0);
    struct str message = c->response;

    if (str_eq_c(c->result_kind, "Status")) {
        message = peek_string(c->result, message_path);
        reason = peek_string(c->result, reason_path);
    }
    if (message.len == 0)
        message = str_from("the server gave no reason");
    if (message.len > ERR_MESSAGE_BYTES)
        message.len = ERR_MESSAGE_BYTES;
    c->status = err_set(&c->err, client_code(reason, c->http_status), "%.*s", STR_ARG(message));
}

void client_call_finish(struct client_call *call, int http_status, struct str body)
{
    ASSERT(http_status >= 200);
    call->http_status = http_status;
    call->status = 0;
    call->response = body;
    call->result = call->result_kind = str_of(NULL, 0);
    /* Bodies that are no protobuf (a log, a proxy's page) have no result; response has them. */
    (void)client_unwrap(body, &call->result_kind, &call->result);
    if (http_status >= 300)
        read_failure(call);
    call->done(call);
}

void client_call_fail(struct client_call *call, int code, const char *message)
{
    call->http_status = 0;
    call->response = call->result = call->result_kind = str_of(NULL, 0);
    call->status = err_set(&call->err, (enum err_code)(code < 0 ? -code : code), "%s", message);
    call->done(call);
}

const char *client_content_type(enum client_content content)
{
    switch (content) {
    case CLIENT_NO_BODY:
        return NULL;
    case CLIENT_PROTOBUF:
        return "application/vnd.kubernetes.protobuf";
    case CLIENT_JSON:
        return "application/json";
    case CLIENT_JSON_PATCH:
        return "application/json-patch+json";
    case CLIENT_MERGE_PATCH:
        return "application/merge-patch+json";
    case CLIENT_STRATEGIC_PATCH:
        return "application/strategic-merge-patch+json";
    case CLIENT_APPLY:
        return "application/apply-patch+yaml";
    }
    return NULL;
}

void client_query_escape(struct buf *out, struct str text)
{
    static const char hex[] = "0123456789ABCDEF";

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            (c != 0 && strchr("-._~", c) != NULL)) {
            buf_append_byte(out, c);
        } else {
            buf_append_byte(out, '%');
            buf_append_byte(out, (uint8_t)hex[c >> 4]);
            buf_append_byte(out, (uint8_t)hex[c & 15]);
        }
    }
}
