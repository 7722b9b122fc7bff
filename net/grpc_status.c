/* gRPC's codes, its timeout and its status message on the wire. */
#include <nghttp2/nghttp2.h>

#include "base/err.h"
#include "net/grpc.h"

static const struct {
    const char *name;
    int err;
} codes[] = {
#define ROW(name, number, err) [number] = { #name, ERR_##err },
    GRPC_CODE_TABLE(ROW)
#undef ROW
};

const char *grpc_code_name(enum grpc_code code)
{
    return (unsigned)code < GRPC_CODE_COUNT ? codes[code].name : "UNKNOWN";
}

int grpc_code_to_err(enum grpc_code code)
{
    return (unsigned)code < GRPC_CODE_COUNT ? -codes[code].err : -ERR_INTERNAL;
}

enum grpc_code grpc_code_from_err(int err)
{
    if (err < 0)
        err = -err;
    if (err == ERR_NONE)
        return GRPC_OK;
    if (err == ERR_INTERNAL)
        return GRPC_INTERNAL; /* not UNKNOWN, which reads as INTERNAL too */
    for (int i = 0; i < GRPC_CODE_COUNT; i++) {
        if (codes[i].err == err)
            return (enum grpc_code)i;
    }
    switch (err) { /* codes of ours that have no row of their own */
    case ERR_INVALID:
    case ERR_PARSE:
    case ERR_NOT_ACCEPTABLE:
    case ERR_UNSUPPORTED_MEDIA_TYPE:
        return GRPC_INVALID_ARGUMENT;
    case ERR_TOO_LARGE:
    case ERR_NO_SPACE:
        return GRPC_RESOURCE_EXHAUSTED;
    case ERR_EXPIRED:
    case ERR_GONE:
        return GRPC_OUT_OF_RANGE;
    case ERR_METHOD_NOT_ALLOWED:
        return GRPC_UNIMPLEMENTED;
    case ERR_FENCED:
        return GRPC_FAILED_PRECONDITION;
    case ERR_NOT_LEADER:
    case ERR_UNKNOWN_OUTCOME:
    case ERR_EOF:
        return GRPC_UNAVAILABLE;
    default:
        return GRPC_INTERNAL;
    }
}

enum grpc_code grpc_code_from_http(int status)
{
    switch (status) {
    case 400:
        return GRPC_INTERNAL;
    case 401:
        return GRPC_UNAUTHENTICATED;
    case 403:
        return GRPC_PERMISSION_DENIED;
    case 404:
        return GRPC_UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
        return GRPC_UNAVAILABLE;
    default:
        return GRPC_UNKNOWN;
    }
}

enum grpc_code grpc_code_from_h2(uint32_t h2_error)
{
    switch (h2_error) {
    case NGHTTP2_REFUSED_STREAM:
        return GRPC_UNAVAILABLE;
    case NGHTTP2_CANCEL:
        return GRPC_CANCELLED;
    case NGHTTP2_ENHANCE_YOUR_CALM:
        return GRPC_RESOURCE_EXHAUSTED;
    case NGHTTP2_INADEQUATE_SECURITY:
        return GRPC_PERMISSION_DENIED;
    default:
        return GRPC_INTERNAL;
    }
}

int grpc_timeout_parse(struct str s, uint64_t *out_ms)
{
    static const struct {
        char unit;
        uint64_t multiply;
        uint64_t divide;
    } units[] = { { 'n', 1, 1000000 }, { 'u', 1, 1000 },  { 'm', 1, 1 },
                  { 'S', 1000, 1 },    { 'M', 60000, 1 }, { 'H', 3600000, 1 } };
    uint64_t n = 0;
    if (s.len < 2 || s.len > 9 || str_to_u64(str_slice(s, 0, s.len - 1), &n) != 0)
        return -ERR_PARSE;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (units[i].unit == s.data[s.len - 1]) {
            *out_ms = (n * units[i].multiply + units[i].divide - 1) / units[i].divide;
            return 0;
        }
    }
    return -ERR_PARSE;
}

struct str grpc_timeout_format(struct arena *a, uint64_t ms)
{
    if (ms <= 99999999)
        return str_printf(a, "%llum", (unsigned long long)ms);
    uint64_t seconds = ms / 1000;
    return str_printf(a, "%lluS", (unsigned long long)(seconds > 99999999 ? 99999999 : seconds));
}

struct str grpc_message_encode(struct arena *a, struct str text)
{
    static const char hex[] = "0123456789ABCDEF";
    text = str_slice(text, 0, GRPC_STATUS_MESSAGE_BYTES);
    char *out = arena_alloc(a, text.len * 3 + 1);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = (uint8_t)text.data[i];
        if (c >= 0x20 && c < 0x7f && c != '%') {
            out[len++] = (char)c;
        } else {
            out[len++] = '%';
            out[len++] = hex[c >> 4];
            out[len++] = hex[c & 15];
        }
    }
    return str_of(out, len);
}

struct str grpc_message_decode(struct arena *a, struct str text)
{
    struct str out;
    if (http_percent_decode(a, text, false, &out) == 0)
        return out;
    return text;
}
