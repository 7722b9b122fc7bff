/* Plain paths: what is served beside resources. One row per path in a table; each answers at once
 * from what this member knows. */
#include <string.h>

#include "base/metrics.h"
#include "controlplane/apiserver/discovery.h"
#include "controlplane/apiserver/object.h"
#include "controlplane/apiserver/openapi.h"
#include "controlplane/apiserver/openapi_v2.h"
#include "controlplane/apiserver/operations.h"

/* ---- version ---- */

/* "1" and "35" of "v1.35.0+gantry". */
static struct str version_part(const char *git_version, int index)
{
    struct str rest = str_from(git_version);
    struct str part;
    rest = str_slice(rest, 1, rest.len);
    for (int i = 0; str_split(&rest, '.', &part); i++) {
        if (i == index) {
            return part;
        }
    }
    return str_lit("0");
}

static enum request_run version_run(struct request *r)
{
    const struct apiserver_config *c = &r->server->config;
    buf_clear(&r->out);
    buf_printf(&r->out,
               "{\"major\":\"%.*s\",\"minor\":\"%.*s\",\"gitVersion\":\"%s\",\"gitCommit\":\"%s\","
               "\"gitTreeState\":\"clean\",\"buildDate\":\"1970-01-01T00:00:00Z\","
               "\"goVersion\":\"none\",\"compiler\":\"gcc\",\"platform\":\"linux/amd64\"}",
               STR_ARG(version_part(c->git_version, 0)), STR_ARG(version_part(c->git_version, 1)),
               c->git_version, c->git_commit);
    r->pretty = true; /* as upstream */
    r->media = (struct media){ .type = MEDIA_JSON };
    return object_answer_out(r, 200);
}

/* ---- health and metrics ---- */

struct health_check {
    const char *name;
    bool live; /* part of /livez as well */
    bool (*good)(const struct apiserver *s);
};

static bool check_ping(const struct apiserver *s)
{
    (void)s;
    return true;
}

static bool check_store(const struct apiserver *s)
{
    struct store_status status;
    store_status(s->config.group, &status);
    return status.ready && status.leader_id != 0;
}

static const struct health_check checks[] = {
    { "ping", true, check_ping },
    { "store", false, check_store },
    { "bootstrap", false, apiserver_ready },
};

static enum request_run health(struct request *r, bool ready, struct str only)
{
    bool good = true;
    bool found = only.len == 0;
    buf_clear(&r->out);
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        const struct health_check *c = &checks[i];
        bool excluded = str_eq_c(route_param(&r->route, "exclude"), c->name);
        if ((!ready && !c->live) || excluded || (only.len > 0 && !str_eq_c(only, c->name))) {
            continue;
        }
        bool ok = c->good(r->server);
        found = true;
        good = good && ok;
        buf_printf(&r->out, "[%c]%s %s\n", ok ? '+' : '-', c->name, ok ? "ok" : "failed");
    }
    if (!found) {
        (void)status_no_route(&r->status);
        return RUN_FAIL;
    }
    const char *path = ready ? "readyz" : "livez";
    if (good && !route_has_param(&r->route, "verbose")) {
        buf_clear(&r->out);
        buf_append_c(&r->out, "ok");
    } else {
        buf_printf(&r->out, "%s check %s\n", path, good ? "passed" : "failed");
    }
    request_answer(r, good ? 200 : 500, "text/plain; charset=utf-8", buf_str(&r->out));
    return RUN_ANSWER;
}

/* What follows "/readyz/". */
static struct str check_name(const struct request *r)
{
    ptrdiff_t slash = str_find_char(r->route.path, '/', 1);
    return slash < 0 ? str_lit("") : str_slice(r->route.path, (size_t)slash + 1, r->route.path.len);
}

static enum request_run livez_run(struct request *r)
{
    return health(r, false, check_name(r));
}

static enum request_run readyz_run(struct request *r)
{
    return health(r, true, check_name(r));
}

static enum request_run metrics_run(struct request *r)
{
    buf_clear(&r->out);
    metrics_render(&r->out);
    request_answer(r, 200, "text/plain; version=0.0.4; charset=utf-8", buf_str(&r->out));
    return RUN_ANSWER;
}

/* ---- documents with a hash ---- */

/* Answers with r->out as a cacheable document, or 304 when the client has it. */
static enum request_run answer_document(struct request *r, const char *type)
{
    struct str hash = openapi_hash(&r->arena, buf_str(&r->out));
    struct str tag = str_printf(&r->arena, "\"%.*s\"", STR_ARG(hash));
    struct str match =
        r->x == NULL ? str_lit("") : http_headers_get(&r->x->headers, "if-none-match");
    request_header(r, "etag", tag);
    request_header(r, "vary", str_lit("Accept"));
    request_header(r, "cache-control", str_lit("public"));
    if (match.len > 0 && str_eq(match, tag)) {
        buf_clear(&r->out);
        request_answer(r, 304, NULL, str_lit(""));
        return RUN_ANSWER;
    }
    request_answer(r, 200, type, buf_str(&r->out));
    return RUN_ANSWER;
}

static enum request_run answer_json(struct request *r)
{
    buf_append_c(&r->out, "\n");
    request_answer(r, 200, "application/json", buf_str(&r->out));
    return RUN_ANSWER;
}

/* The aggregated version that Accept asks for before plain JSON, or NULL. */
static const char *wants_aggregated(const struct request *r)
{
    struct media_clause clauses[MEDIA_CLAUSES_MAX];
    struct str accept = r->x == NULL ? str_lit("") : http_headers_get(&r->x->headers, "accept");
    size_t count = media_clauses(str_slice(accept, 0, MEDIA_TEXT_MAX), clauses);
    for (size_t i = 0; i < count; i++) {
        const struct media_clause *c = &clauses[i];
        if (!media_clause_accepts(c, "application/json")) {
            continue;
        }
        if (c->as.len == 0) {
            return NULL;
        }
        if (str_eq_c(c->as, "APIGroupDiscoveryList") && str_eq_c(c->group, "apidiscovery.k8s.io")) {
            if (str_eq_c(c->version, "v2")) {
                return "v2";
            }
            if (str_eq_c(c->version, "v2beta1")) {
                return "v2beta1";
            }
        }
    }
    return NULL;
}

static enum request_run groups_run(struct request *r)
{
    bool core =
        str_starts(r->route.path, str_lit("/api")) && !str_starts(r->route.path, str_lit("/apis"));
    const char *version = wants_aggregated(r);
    buf_clear(&r->out);
    if (version != NULL) {
        discovery_write_aggregated(&r->out, core, version);
        buf_append_c(&r->out, "\n");
        return answer_document(
            r, str_dup(&r->arena, str_printf(&r->arena,
                                             "application/json;g=apidiscovery.k8s.io;v=%s;as="
                                             "APIGroupDiscoveryList",
                                             version)));
    }
    if (core) {
        discovery_write_core(&r->out, r->x == NULL ? str_lit("") : r->x->authority);
    } else {
        discovery_write_groups(&r->out);
    }
    return answer_json(r);
}

/* /api/v1, /apis/G and /apis/G/V. */
static enum request_run group_run(struct request *r)
{
    struct str rest = str_slice(r->route.path, 1, r->route.path.len);
    struct str parts[3] = { 0 };
    for (int i = 0; i < 3 && rest.data != NULL && str_split(&rest, '/', &parts[i]); i++) {
    }
    bool core = str_eq_c(parts[0], "api");
    bool found;
    buf_clear(&r->out);
    if (core) {
        found = discovery_write_resources(&r->out, str_lit(""), parts[1]);
    } else if (parts[2].len == 0) {
        found = discovery_write_group(&r->out, parts[1]);
    } else {
        found = discovery_write_resources(&r->out, parts[1], parts[2]);
    }
    if (!found) {
        (void)status_no_route(&r->status);
        return RUN_FAIL;
    }
    return answer_json(r);
}

static enum request_run openapi_root_run(struct request *r)
{
    buf_clear(&r->out);
    openapi_write_root(&r->arena, &r->out);
    return answer_document(r, "application/json");
}

static enum request_run openapi_group_run(struct request *r)
{
    static const char prefix[] = "/openapi/v3/";
    struct str path = str_slice(r->route.path, sizeof(prefix) - 1, r->route.path.len);
    buf_clear(&r->out);
    if (!openapi_write_group(&r->out, path)) {
        (void)status_no_route(&r->status);
        return RUN_FAIL;
    }
    struct str hash = openapi_hash(&r->arena, buf_str(&r->out));
    struct str wanted = route_param(&r->route, "hash");
    if (wanted.len > 0 && !str_eq(wanted, hash)) {
        request_header(
            r, "location",
            str_printf(&r->arena, "%.*s?hash=%.*s", STR_ARG(r->route.path), STR_ARG(hash)));
        request_answer(r, 301, NULL, str_lit(""));
        return RUN_ANSWER;
    }
    return answer_document(r, "application/json");
}

static enum request_run openapi_v2_run(struct request *r)
{
    struct str accept = r->x == NULL ? str_lit("") : http_headers_get(&r->x->headers, "accept");
    struct err e;
    if (str_find(accept, str_lit("openapi.spec.v2")) < 0) {
        (void)status_from_err(&r->arena, &r->status,
                              err_set(&e, ERR_NOT_ACCEPTABLE,
                                      "only the following media types are accepted: "
                                      "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"),
                              &e);
        return RUN_FAIL;
    }
    buf_clear(&r->out);
    openapi_v2_write(&r->out);
    return answer_document(r, OPENAPI_V2_TYPE);
}

static enum request_run index_run(struct request *r)
{
    struct group_version groups[GROUPS_MAX];
    size_t count = discovery_groups(groups);
    buf_clear(&r->out);
    buf_append_c(&r->out, "{\"paths\":[\"/api\",\"/api/v1\",\"/apis\"");
    for (size_t i = 0; i < count; i++) {
        if (groups[i].group[0] != '\0') {
            buf_printf(&r->out, ",\"/apis/%s\",\"/apis/%s/%s\"", groups[i].group, groups[i].group,
                       groups[i].version);
        }
    }
    buf_append_c(
        &r->out,
        ",\"/healthz\",\"/livez\",\"/metrics\",\"/openapi/v2\",\"/openapi/v3\",\"/readyz\","
        "\"/version\"]}");
    return answer_json(r);
}

/* ---- the table ---- */

struct path_row {
    const char *path;
    bool prefix; /* and everything below it */
    struct operation operation;
};

#define PATH(text, below, function)                                                                \
    {                                                                                              \
        text, below,                                                                               \
        {                                                                                          \
            .name = text, .mode = READ_LOCAL, .run = function                                      \
        }                                                                                          \
    }

static const struct path_row rows[] = {
    PATH("/", false, index_run),
    PATH("/version", false, version_run),
    PATH("/healthz", true, livez_run),
    PATH("/livez", true, livez_run),
    PATH("/readyz", true, readyz_run),
    PATH("/metrics", false, metrics_run),
    PATH("/api", false, groups_run),
    PATH("/apis", false, groups_run),
    PATH("/openapi/v2", false, openapi_v2_run),
    PATH("/openapi/v3", false, openapi_root_run),
    PATH("/openapi/v3", true, openapi_group_run),
    PATH("/api", true, group_run),
    PATH("/apis", true, group_run),
};

const struct operation *paths_find(const struct route *route)
{
    struct str path = route->path;
    if (path.len > 1 && path.data[path.len - 1] == '/') {
        path.len--;
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct str row = str_from(rows[i].path);
        bool below = rows[i].prefix && path.len > row.len && path.data[row.len] == '/' &&
                     str_starts(path, row);
        if (str_eq(path, row) || below) {
            return &rows[i].operation;
        }
    }
    return NULL;
}
