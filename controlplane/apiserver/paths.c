/* Plain paths: what is served beside resources. One row per path in a table; each answers at once
 * from what this member knows. */
#include <stdlib.h>
#include <string.h>

#include "api/proto/schemas.h"
#include "api/schema/yaml.h"
#include "base/assert.h"
#include "base/metrics.h"
#include "controlplane/apiserver/discovery.h"
#include "controlplane/apiserver/documents.h"
#include "controlplane/apiserver/health.h"
#include "controlplane/apiserver/object.h"
#include "controlplane/apiserver/operations.h"
#include "net/gzip.h"

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

static enum request_run healthz_run(struct request *r)
{
    return health_run(r, HEALTH_LIVE, "healthz");
}

static enum request_run livez_run(struct request *r)
{
    return health_run(r, HEALTH_LIVE, "livez");
}

static enum request_run readyz_run(struct request *r)
{
    return health_run(r, HEALTH_READY, "readyz");
}

static enum request_run metrics_run(struct request *r)
{
    buf_clear(&r->out);
    metrics_render(&r->out);
    request_answer(r, 200, "text/plain; version=0.0.4; charset=utf-8", buf_str(&r->out));
    return RUN_ANSWER;
}

/* ---- what a client has, and what it takes ---- */

static struct str header_of(const struct request *r, const char *name)
{
    return r->x == NULL ? str_lit("") : http_headers_get(&r->x->headers, name);
}

/* Sets the headers of a cacheable answer; true when the client has these very bytes. */
static bool answer_tag(struct request *r, const char *hash, const char *vary, const char *cache)
{
    struct str tag = str_printf(&r->arena, "\"%s\"", hash);
    request_header(r, "etag", tag);
    request_header(r, "vary", str_from(vary));
    request_header(r, "cache-control", str_from(cache));
    if (!str_eq(header_of(r, "if-none-match"), tag)) {
        return false;
    }
    request_answer(r, 304, NULL, str_lit(""));
    return true;
}

static size_t clauses_of(const struct request *r, struct media_clause *out)
{
    return media_clauses(str_slice(header_of(r, "accept"), 0, MEDIA_TEXT_MAX), out);
}

/* ---- discovery ---- */

static const char protobuf_type[] = "application/vnd.kubernetes.protobuf";

/* Which document Accept wants: by the first clause that we have. */
struct discovery_form {
    const char *version; /* of the aggregated document, or NULL: the legacy one */
    bool protobuf;       /* the aggregated one; the other is negotiated as any object */
};

static struct discovery_form discovery_form(const struct request *r)
{
    static const char *const versions[] = { "v2", "v2beta1" };
    struct media_clause clauses[MEDIA_CLAUSES_MAX];
    size_t count = clauses_of(r, clauses);
    for (size_t i = 0; i < count; i++) {
        const struct media_clause *c = &clauses[i];
        bool json = media_clause_accepts(c, "application/json");
        struct discovery_form form = { .protobuf = !json };
        if (!json && !media_clause_accepts(c, protobuf_type)) {
            continue;
        }
        if (c->as.len == 0) {
            return form;
        }
        for (size_t v = 0; v < sizeof(versions) / sizeof(versions[0]); v++) {
            if (str_eq_c(c->as, "APIGroupDiscoveryList") &&
                str_eq_c(c->group, "apidiscovery.k8s.io") && str_eq_c(c->version, versions[v])) {
                form.version = versions[v];
                return form;
            }
        }
    }
    return (struct discovery_form){ 0 };
}

/* The JSON in r->out becomes protobuf, with its envelope. */
static int to_protobuf(struct request *r, const struct schema *s, struct str api_version)
{
    const struct encoding encoding = { .api_version = api_version, .kind = str_from(s->name) };
    struct str text = str_copy(&r->arena, buf_str(&r->out));
    const struct json *tree = NULL;
    void *object = NULL;
    struct err e;
    if (json_parse(&r->arena, text, &tree, &e) != 0 ||
        schema_decode(&r->arena, s, tree, SCHEMA_STRICT, &object, NULL, &e) != 0) {
        return status_internal(&r->arena, &r->status, str_copy(&r->arena, str_from(e.msg)));
    }
    buf_clear(&r->out);
    envelope_write(&r->out, s, schema_pack_arena(&r->arena, s, object), &encoding);
    return 0;
}

/* The JSON in r->out becomes YAML, or JSON for people. */
static int to_text(struct request *r, bool yaml)
{
    struct str text = str_copy(&r->arena, buf_str(&r->out));
    const struct json *tree = NULL;
    struct err e;
    buf_clear(&r->out);
    if (!yaml) {
        json_indent(&r->out, text);
        return 0;
    }
    int rc = json_parse(&r->arena, text, &tree, &e);
    rc = rc == 0 ? yaml_write(&r->out, tree, &e) : rc;
    return rc == 0 ? 0 : status_from_err(&r->arena, &r->status, rc, &e);
}

/* Answers with the legacy document in r->out, as any object is negotiated. */
static enum request_run answer_legacy(struct request *r, const struct schema *s)
{
    struct media media;
    struct err e;
    int rc =
        media_accept(header_of(r, "accept"), MEDIA_ALLOW_YAML | MEDIA_ALLOW_PROTOBUF, &media, &e);
    if (rc != 0) {
        (void)status_from_err(&r->arena, &r->status, rc, &e);
        return RUN_FAIL;
    }
    if (media.type == MEDIA_PROTOBUF) {
        rc = to_protobuf(r, s, str_lit("v1"));
    } else if (media.type == MEDIA_YAML || r->pretty || media.pretty) {
        rc = to_text(r, media.type == MEDIA_YAML);
    } else {
        buf_append_c(&r->out, "\n");
    }
    if (rc != 0) {
        return RUN_FAIL;
    }
    request_answer(r, 200, media_name(media.type, false), buf_str(&r->out));
    return RUN_ANSWER;
}

/* The content type repeats what was asked for, or clients would take the answer for the legacy
 * one. */
static enum request_run answer_aggregated(struct request *r, const struct discovery_form *form)
{
    char hash[DOCUMENT_HASH_BYTES + 1];
    struct str type =
        str_printf(&r->arena, "%s;g=apidiscovery.k8s.io;v=%s;as=APIGroupDiscoveryList",
                   form->protobuf ? protobuf_type : "application/json", form->version);
    struct str api_version = str_printf(&r->arena, "apidiscovery.k8s.io/%s", form->version);
    if (!form->protobuf) {
        buf_append_c(&r->out, "\n");
    } else if (to_protobuf(r, &schema_APIGroupDiscoveryList, api_version) != 0) {
        return RUN_FAIL;
    }
    document_hash(buf_str(&r->out), hash);
    if (!answer_tag(r, hash, "Accept", "public")) {
        request_answer(r, 200, str_dup(&r->arena, type), buf_str(&r->out));
    }
    return RUN_ANSWER;
}

static enum request_run groups_run(struct request *r)
{
    bool core =
        str_starts(r->route.path, str_lit("/api")) && !str_starts(r->route.path, str_lit("/apis"));
    const struct discovery_form form = discovery_form(r);
    buf_clear(&r->out);
    if (form.version != NULL) {
        discovery_write_aggregated(&r->out, core, form.version);
        return answer_aggregated(r, &form);
    }
    if (core) {
        discovery_write_core(&r->out, r->x == NULL ? str_lit("") : r->x->authority);
    } else {
        discovery_write_groups(&r->out);
    }
    return answer_legacy(r, core ? &schema_APIVersions : &schema_APIGroupList);
}

/* /api/v1, /apis/G and /apis/G/V. */
static enum request_run group_run(struct request *r)
{
    struct str rest = str_slice(r->route.path, 1, r->route.path.len);
    struct str parts[3] = { 0 };
    for (int i = 0; i < 3 && rest.data != NULL && str_split(&rest, '/', &parts[i]); i++) {
    }
    bool core = str_eq_c(parts[0], "api");
    bool group = !core && parts[2].len == 0;
    bool found;
    buf_clear(&r->out);
    if (core) {
        found = discovery_write_resources(&r->out, str_lit(""), parts[1]);
    } else if (group) {
        found = discovery_write_group(&r->out, parts[1]);
    } else {
        found = discovery_write_resources(&r->out, parts[1], parts[2]);
    }
    if (!found) {
        (void)status_no_route(&r->status);
        return RUN_FAIL;
    }
    return answer_legacy(r, group ? &schema_APIGroup : &schema_APIResourceList);
}

/* ---- OpenAPI ---- */

/* The protobuf form, as Accept may spell it and as Content-Type must: Go's parser refuses the @
 * that its clients ask with. */
struct openapi_type {
    const char *asked;
    const char *answered;
};

static const struct openapi_type openapi_v2_type = {
    "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
    "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
};
static const struct openapi_type openapi_v3_type = {
    "application/com.github.proto-openapi.spec.v3@v1.0+protobuf",
    "application/com.github.proto-openapi.spec.v3.v1.0+protobuf"
};

/* 0, or -ERR_NOT_ACCEPTABLE with r->status set. */
static int openapi_form(struct request *r, const struct openapi_type *type, enum document_form *out)
{
    struct media_clause clauses[MEDIA_CLAUSES_MAX];
    size_t count = clauses_of(r, clauses);
    struct err e;
    for (size_t i = 0; i < count; i++) {
        if (media_clause_accepts(&clauses[i], "application/json")) {
            *out = DOCUMENT_JSON;
            return 0;
        }
        if (media_clause_accepts(&clauses[i], type->asked) ||
            media_clause_accepts(&clauses[i], type->answered)) {
            *out = DOCUMENT_PROTOBUF;
            return 0;
        }
    }
    int rc =
        err_set(&e, ERR_NOT_ACCEPTABLE,
                "only the following media types are accepted: application/json, %s", type->asked);
    return status_from_err(&r->arena, &r->status, rc, &e);
}

/* Does the client take gzip? Its q is not looked at but for 0. */
static bool takes_gzip(const struct request *r)
{
    struct media_clause clauses[MEDIA_CLAUSES_MAX];
    struct str accept = header_of(r, "accept-encoding");
    size_t count =
        accept.len == 0 ? 0 : media_clauses(str_slice(accept, 0, MEDIA_TEXT_MAX), clauses);
    for (size_t i = 0; i < count; i++) {
        if (clauses[i].q > 0 && str_eq_nocase(clauses[i].type, str_lit("gzip"))) {
            return true;
        }
    }
    return false;
}

static enum request_run answer_document(struct request *r, const struct document *d,
                                        const char *type, const char *cache)
{
    struct err e;
    if (answer_tag(r, d->hash, "Accept, Accept-Encoding", cache)) {
        return RUN_ANSWER;
    }
    if (takes_gzip(r)) {
        request_header(r, "content-encoding", str_lit("gzip"));
        request_answer(r, 200, type, buf_str(&d->packed));
        return RUN_ANSWER;
    }
    buf_clear(&r->out);
    int rc = gzip_unpack(&r->out, buf_str(&d->packed), d->plain_bytes, &e);
    ASSERT(rc == 0); /* it was packed here */
    request_answer(r, 200, type, buf_str(&r->out));
    return RUN_ANSWER;
}

static const char *openapi_content(const struct openapi_type *type, enum document_form form)
{
    return form == DOCUMENT_JSON ? "application/json" : type->answered;
}

/* Making a document takes tens of milliseconds: not on the loop. True: the request goes there now.
 */
static bool is_to_make(struct request *r, void (*make)(struct env_work *w))
{
    bool first = r->make == NULL;
    r->make = make;
    return first;
}

static struct documents *documents_of(struct env_work *w)
{
    return &container_of(w, struct request, work)->server->documents;
}

static void make_root(struct env_work *w)
{
    (void)documents_root(documents_of(w)); /* it is kept, as the others are */
}

static void make_v2(struct env_work *w)
{
    for (int form = 0; form < DOCUMENT_FORMS; form++) {
        (void)documents_v2(documents_of(w), (enum document_form)form);
    }
}

static struct str group_path(const struct request *r)
{
    static const char prefix[] = "/openapi/v3/";
    return str_slice(r->route.path, sizeof(prefix) - 1, r->route.path.len);
}

static void make_group(struct env_work *w)
{
    struct str path = group_path(container_of(w, struct request, work));
    for (int form = 0; form < DOCUMENT_FORMS; form++) {
        (void)documents_v3(documents_of(w), path, (enum document_form)form);
    }
}

static enum request_run openapi_root_run(struct request *r)
{
    if (is_to_make(r, make_root)) {
        return RUN_MAKE;
    }
    return answer_document(r, documents_root(&r->server->documents), "application/json", "public");
}

/* The right hash is the document for ever; a wrong one leads to the right one. */
static enum request_run openapi_group_run(struct request *r)
{
    static const char forever[] = "public, immutable, max-age=31536000";
    struct str path = group_path(r);
    struct str wanted = route_param(&r->route, "hash");
    enum document_form form;
    if (is_to_make(r, make_group)) {
        return RUN_MAKE;
    }
    if (openapi_form(r, &openapi_v3_type, &form) != 0) {
        return RUN_FAIL;
    }
    const struct document *d = documents_v3(&r->server->documents, path, form);
    if (d == NULL) {
        (void)status_no_route(&r->status);
        return RUN_FAIL;
    }
    /* What is linked to is the hash of the JSON, whatever form is asked for. */
    const char *hash = documents_v3(&r->server->documents, path, DOCUMENT_JSON)->hash;
    if (wanted.len > 0 && !str_eq_c(wanted, hash)) {
        request_header(r, "location",
                       str_printf(&r->arena, "%.*s?hash=%s", STR_ARG(r->route.path), hash));
        request_answer(r, 301, NULL, str_lit(""));
        return RUN_ANSWER;
    }
    return answer_document(r, d, openapi_content(&openapi_v3_type, form),
                           wanted.len > 0 ? forever : "public");
}

static enum request_run openapi_v2_run(struct request *r)
{
    enum document_form form;
    if (is_to_make(r, make_v2)) {
        return RUN_MAKE;
    }
    if (openapi_form(r, &openapi_v2_type, &form) != 0) {
        return RUN_FAIL;
    }
    return answer_document(r, documents_v2(&r->server->documents, form),
                           openapi_content(&openapi_v2_type, form), "public");
}

static int group_cmp(const void *x, const void *y)
{
    const struct group_version *a = x;
    const struct group_version *b = y;
    return strcmp(a->group, b->group);
}

/* Sorted and for people, as upstream. */
static enum request_run index_run(struct request *r)
{
    struct group_version groups[GROUPS_MAX];
    size_t count = resource_groups(groups);
    buf_clear(&r->out);
    qsort(groups, count, sizeof(groups[0]), group_cmp);
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
    r->pretty = true;
    r->media = (struct media){ .type = MEDIA_JSON };
    return object_answer_out(r, 200);
}

/* ---- custom resources ---- */

/* There are none, which is what kubectl (since 1.27) asks before it validates a kind that it cannot
 * patch, such as a list, by itself. They are not in discovery. */
static enum request_run definitions_run(struct request *r)
{
    uint64_t revision = store_published(r->server->config.group);
    buf_clear(&r->out);
    buf_printf(&r->out,
               "{\"kind\":\"CustomResourceDefinitionList\",\"apiVersion\":"
               "\"apiextensions.k8s.io/v1\",\"metadata\":{\"resourceVersion\":\"%llu\"},"
               "\"items\":[]}",
               (unsigned long long)revision);
    r->media = (struct media){ .type = MEDIA_JSON };
    return object_answer_out(r, 200);
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
    PATH("/healthz", true, healthz_run),
    PATH("/livez", true, livez_run),
    PATH("/readyz", true, readyz_run),
    PATH("/metrics", false, metrics_run),
    PATH("/api", false, groups_run),
    PATH("/apis", false, groups_run),
    PATH("/openapi/v2", false, openapi_v2_run),
    PATH("/openapi/v3", false, openapi_root_run),
    PATH("/openapi/v3", true, openapi_group_run),
    PATH(PATHS_DEFINITIONS, false, definitions_run),
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
