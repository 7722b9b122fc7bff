/* Parsing of request targets; every result points into the target or the arena. */
#include "controlplane/apiserver/route.h"

#include <string.h>

#include "base/arena.h"
#include "net/http.h"

static const char *const verb_names[VERB_COUNT] = {
    "", "get", "list", "watch", "create", "update", "patch", "delete", "deletecollection",
};

const char *verb_name(enum verb verb)
{
    return verb < VERB_COUNT ? verb_names[verb] : "";
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

/* Percent-decodes s into the arena; plus: '+' means a space (queries, not paths). */
static int percent_decode(struct arena *a, struct str s, bool plus, struct str *out)
{
    if (s.len == 0 ||
        (memchr(s.data, '%', s.len) == NULL && (!plus || memchr(s.data, '+', s.len) == NULL))) {
        *out = s.len == 0 ? str_lit("") : s;
        return 0;
    }
    char *bytes = arena_alloc(a, s.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        if (c == '%') {
            if (i + 2 >= s.len || hex_digit(s.data[i + 1]) < 0 || hex_digit(s.data[i + 2]) < 0) {
                return -ERR_PARSE;
            }
            c = (char)(hex_digit(s.data[i + 1]) * 16 + hex_digit(s.data[i + 2]));
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        if (c == '\0') {
            return -ERR_PARSE;
        }
        bytes[len++] = c;
    }
    *out = str_of(bytes, len);
    return 0;
}

/* Empty ones are none. */
static size_t count_pairs(struct str query)
{
    struct str pair;
    size_t count = 0;
    while (query.data != NULL && str_split(&query, '&', &pair)) {
        count += pair.len > 0;
    }
    return count;
}

static bool takes_command(const struct route *r)
{
    return r->resource && (str_eq_c(r->sub, "exec") || str_eq_c(r->sub, "attach"));
}

/* After the path: it says how many there may be. */
static int parse_params(struct arena *a, struct str query, struct route *r, struct err *e)
{
    size_t room = count_pairs(query);
    struct str pair;
    size_t count = 0;
    int max = takes_command(r) ? ROUTE_COMMAND_PARAMS_MAX : ROUTE_PARAMS_MAX;
    if (room > (size_t)max) {
        return err_set(e, ERR_INVALID_ARGUMENT, "more than %d query parameters", max);
    }
    struct param *params = arena_array(a, room, sizeof(*params));
    while (query.data != NULL && str_split(&query, '&', &pair)) {
        if (pair.len == 0) {
            continue;
        }
        struct str name = pair;
        struct str value = str_lit("");
        ptrdiff_t eq = str_find_char(pair, '=', 0);
        if (eq >= 0) {
            name = str_slice(pair, 0, (size_t)eq);
            value = str_slice(pair, (size_t)eq + 1, pair.len);
        }
        if (percent_decode(a, name, true, &params[count].name) != 0 ||
            percent_decode(a, value, true, &params[count].value) != 0 ||
            !str_utf8_valid(params[count].value)) {
            return err_set(e, ERR_INVALID_ARGUMENT, "invalid escape in the query string");
        }
        count++;
    }
    r->params = params;
    r->params_count = count;
    return 0;
}

/* No segments: there are more than anything has that is served. */
static int split_path(struct arena *a, struct str path, struct str *segments, size_t *out_count,
                      struct err *e)
{
    struct str rest = str_slice(path, 1, path.len);
    struct str part;
    size_t count = 0;
    while (rest.data != NULL && str_split(&rest, '/', &part)) {
        if (count == ROUTE_SEGMENTS_MAX) {
            *out_count = 0;
            return 0;
        }
        if (percent_decode(a, part, false, &segments[count]) != 0 ||
            !str_utf8_valid(segments[count])) {
            return err_set(e, ERR_INVALID_ARGUMENT, "invalid escape in the request path");
        }
        count++;
    }
    if (count > 0 && segments[count - 1].len == 0) {
        count--; /* one trailing slash means the same path */
    }
    *out_count = count;
    return 0;
}

/* The path up to the subresource "proxy" of /api/v1/RESOURCE/NAME or
 * /api/v1/namespaces/NS/RESOURCE/NAME, and what follows it; false when it is none. */
static bool cut_proxy(struct str path, struct str *out_head, struct str *out_tail)
{
    struct str rest = str_slice(path, 1, path.len);
    struct str part;
    size_t proxy = 4;
    for (size_t i = 0; rest.data != NULL && str_split(&rest, '/', &part); i++) {
        if (i == 2 && str_eq_c(part, "namespaces")) {
            proxy = 6;
        }
        if ((i == 0 && !str_eq_c(part, "api")) || (i == 2 && str_eq_c(part, "watch"))) {
            return false;
        }
        if (i == proxy) {
            size_t end = (size_t)(part.data - path.data) + part.len;
            *out_head = str_slice(path, 0, end);
            *out_tail = str_slice(path, end, path.len);
            return str_eq_c(part, "proxy");
        }
    }
    return false;
}

static bool namespace_subresource(struct str s)
{
    return str_eq_c(s, "status") || str_eq_c(s, "finalize");
}

/* Reads the part after /api/v1[/watch] or /apis/G/V[/watch]. */
static void parse_resource(struct route *r, const struct str *segments, size_t count)
{
    size_t at = 0;
    if (count > 2 && str_eq_c(segments[0], "namespaces") && !namespace_subresource(segments[2])) {
        r->ns = segments[1];
        at = 2;
    }
    r->resource = true;
    r->plural = segments[at++];
    if (at < count) {
        r->name = segments[at++];
    }
    if (at < count) {
        r->sub = segments[at++];
    }
    if (at < count) {
        /* The tail keeps its inner slashes: it is the end of the path as sent. */
        struct str first = segments[at];
        const char *end = r->path.data + r->path.len;
        size_t tail = first.len;
        for (size_t i = at + 1; i < count; i++) {
            tail += 1 + segments[i].len;
        }
        r->tail = tail <= r->path.len ? str_of(end - tail, tail) : first;
    }
}

/* ?watch of a named object is a plain read; the path that watches one object is /watch/. */
static enum verb verb_of(const struct route *r, bool watch_path)
{
    bool named = r->name.len > 0;
    bool looks = str_eq_c(r->method, "HEAD") || str_eq_c(r->method, "OPTIONS");
    if (looks && str_eq_c(r->sub, "proxy")) {
        return VERB_GET;
    }
    if (str_eq_c(r->method, "GET")) {
        bool watch = watch_path || (!named && route_param_bool(r, "watch"));
        if (watch && r->sub.len == 0) {
            return VERB_WATCH;
        }
        return named ? VERB_GET : VERB_LIST;
    }
    if (str_eq_c(r->method, "POST")) {
        return VERB_CREATE;
    }
    if (str_eq_c(r->method, "PUT")) {
        return VERB_UPDATE;
    }
    if (str_eq_c(r->method, "PATCH")) {
        return VERB_PATCH;
    }
    if (str_eq_c(r->method, "DELETE")) {
        return named ? VERB_DELETE : VERB_DELETECOLLECTION;
    }
    return VERB_NONE;
}

/* Everything that the path tells; *watch: it is the old spelling of one. */
static void parse_path(struct route *r, const struct str *segments, size_t count, bool *watch)
{
    size_t at = 0;
    if (count > 2 && str_eq_c(segments[0], "api")) {
        r->version = segments[1];
        at = 2;
    } else if (count > 3 && str_eq_c(segments[0], "apis")) {
        r->group = segments[1];
        r->version = segments[2];
        at = 3;
    } else {
        return;
    }
    *watch = str_eq_c(segments[at], "watch") && at + 1 < count;
    at += *watch ? 1 : 0;
    for (size_t i = 1; i < count; i++) {
        if (segments[i].len == 0) {
            return; /* an empty segment names nothing: no such path */
        }
    }
    parse_resource(r, segments + at, count - at);
}

int route_parse(struct arena *a, struct str method, struct str target, struct route *out,
                struct err *e)
{
    struct str segments[ROUTE_SEGMENTS_MAX];
    size_t count = 0;
    memset(out, 0, sizeof(*out));
    if (target.len == 0 || target.data[0] != '/' || target.len > HTTP_URI_BYTES_MAX) {
        return err_set(e, ERR_INVALID_ARGUMENT, "malformed request target");
    }
    ptrdiff_t mark = str_find_char(target, '?', 0);
    out->method = method;
    out->path = mark < 0 ? target : str_slice(target, 0, (size_t)mark);
    struct str query =
        mark < 0 ? (struct str){ 0 } : str_slice(target, (size_t)mark + 1, target.len);
    struct str head = out->path;
    struct str tail = { 0 };
    bool watch = false;
    bool proxy = cut_proxy(out->path, &head, &tail);
    int rc = split_path(a, proxy ? head : out->path, segments, &count, e);
    if (rc != 0) {
        return rc;
    }
    parse_path(out, segments, count, &watch);
    rc = proxy ? 0 : parse_params(a, query, out, e);
    if (rc != 0) {
        out->resource = false; /* nothing is asked for */
    } else if (out->resource) {
        out->tail = proxy ? tail : out->tail;
        out->verb = verb_of(out, watch);
    }
    return rc;
}

bool route_has_param(const struct route *r, const char *name)
{
    return route_param(r, name).data != NULL;
}

struct str route_param(const struct route *r, const char *name)
{
    for (size_t i = 0; i < r->params_count; i++) {
        if (str_eq_c(r->params[i].name, name)) {
            return r->params[i].value;
        }
    }
    return (struct str){ 0 };
}

bool route_param_bool(const struct route *r, const char *name)
{
    struct str v = route_param(r, name);
    return v.data != NULL && !str_eq_nocase(v, str_lit("false")) && !str_eq_c(v, "0");
}

int route_param_i64(const struct route *r, const char *name, int64_t *out, struct err *e)
{
    struct str v = route_param(r, name);
    if (v.len == 0) {
        return 0;
    }
    if (str_to_i64(v, out) != 0) {
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "strconv.ParseInt: parsing \"%.*s\": invalid syntax", STR_ARG(v));
    }
    return 0;
}
