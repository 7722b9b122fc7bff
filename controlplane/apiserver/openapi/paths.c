/* Operations are rows of a table; what they take and answer follows from the row. */
#include "controlplane/apiserver/openapi/paths.h"

#include <string.h>

#include "api/meta/kinds.h"
#include "api/proto/schemas.h"
#include "api/schema/json.h"
#include "base/buf.h"
#include "controlplane/apiserver/openapi/paths_internal.h"
#include "controlplane/resources/registry.h"

/* Which operations take a parameter. */
enum { LIST = 1, GET = 2, WRITE = 4, PATCH = 8, DELETE = 16, COLLECTION = 32 };

struct parameter {
    const char *name;
    const char *type;
    unsigned on;
    const char *doc;
};

static const struct parameter parameters[] = {
    { "allowWatchBookmarks", "boolean", LIST,
      "A watch may send events of type BOOKMARK that carry only a resource version." },
    { "continue", "string", LIST | COLLECTION,
      "The token of the page before, to get the next one." },
    { "dryRun", "string", WRITE | DELETE | COLLECTION,
      "All: everything is checked and answered, and nothing is stored." },
    { "fieldManager", "string", WRITE,
      "Who makes this change, as it is recorded in managedFields." },
    { "fieldSelector", "string", LIST | COLLECTION,
      "Only objects whose fields have these values, as in metadata.name=web." },
    { "fieldValidation", "string", WRITE,
      "What becomes of unknown and duplicate fields: Ignore, Warn or Strict." },
    { "force", "boolean", PATCH, "An apply takes over fields that other managers own." },
    { "gracePeriodSeconds", "integer", DELETE | COLLECTION,
      "Seconds until the object is removed; 0 is at once." },
    { "labelSelector", "string", LIST | COLLECTION, "Only objects whose labels match." },
    { "limit", "integer", LIST | COLLECTION, "The most objects one page may have." },
    { "orphanDependents", "boolean", DELETE | COLLECTION,
      "Older form of propagationPolicy: dependents stay." },
    { "propagationPolicy", "string", DELETE | COLLECTION,
      "What becomes of dependents: Orphan, Background or Foreground." },
    { "resourceVersion", "string", LIST | COLLECTION,
      "The state to answer with; resourceVersionMatch says how exactly." },
    { "resourceVersionMatch", "string", LIST | COLLECTION,
      "Exact, or NotOlderThan the resourceVersion." },
    { "sendInitialEvents", "boolean", LIST,
      "A watch begins with the present state, and a bookmark where that ends." },
    { "timeoutSeconds", "integer", LIST | COLLECTION,
      "Ends a list or watch after so many seconds." },
    { "watch", "boolean", LIST, "Changes as they happen instead of a list." },
};

struct operation {
    const char *verb;   /* as discovery names it */
    const char *method; /* of HTTP */
    const char *action; /* x-kubernetes-action */
    const char *id;     /* how its operationId begins */
    const char *doc;    /* before the kind's name */
    unsigned takes;
    bool collection; /* of the path without a name */
    bool body;
};

static const struct operation operations[] = {
    { "list", "get", "list", "list", "List or watch objects of kind", LIST, true, false },
    { "create", "post", "post", "create", "Create an object of kind", WRITE, true, true },
    { "deletecollection", "delete", "deletecollection", "deleteCollection",
      "Delete a collection of objects of kind", COLLECTION, true, true },
    { "get", "get", "get", "read", "Read an object of kind", GET, false, false },
    { "update", "put", "put", "replace", "Replace an object of kind", WRITE, false, true },
    { "patch", "patch", "patch", "patch", "Change parts of an object of kind", WRITE | PATCH, false,
      true },
    { "delete", "delete", "delete", "delete", "Delete an object of kind", DELETE, false, true },
};

#define OPERATIONS (sizeof(operations) / sizeof(operations[0]))

/* Which path an operation is on. */
struct place {
    const struct resource *resource;
    const struct kind_info *parent;
    const struct kind_info *kind;  /* of bodies and answers */
    const struct subresource *sub; /* NULL: the resource itself */
    bool all_namespaces;
};

static const char *const media_types[] = { "application/json", "application/yaml",
                                           "application/vnd.kubernetes.protobuf", NULL };
static const char *const patch_types[] = { "application/apply-patch+yaml",
                                           "application/json-patch+json",
                                           "application/merge-patch+json",
                                           "application/strategic-merge-patch+json", NULL };
static const char *const any_type[] = { "*/*", NULL };
static const char *const text_type[] = { "text/plain", NULL };

bool openapi_has_word(const char *words, const char *word)
{
    struct str rest = str_from(words);
    struct str part;
    while (rest.len > 0 && str_split(&rest, ' ', &part)) {
        if (str_eq_c(part, word)) {
            return true;
        }
    }
    return false;
}

static void write_list(struct buf *out, const char *name, const char *const *items)
{
    buf_printf(out, "\"%s\":[", name);
    for (size_t i = 0; items[i] != NULL; i++) {
        buf_printf(out, "%s\"%s\"", i > 0 ? "," : "", items[i]);
    }
    buf_append_c(out, "],");
}

/* ---- parameters ---- */

void openapi_write_parameter(struct openapi_paths *p, const char *in, const char *name,
                             const char *type, const char *doc)
{
    bool path = in[0] == 'p';
    buf_printf(p->out, "{\"name\":\"%s\",\"in\":\"%s\",\"description\":", name, in);
    json_write_string(p->out, str_from(doc), true);
    if (path) {
        buf_append_c(p->out, ",\"required\":true");
    }
    buf_printf(p->out,
               p->version == OPENAPI_V2 ? ",\"type\":\"%s\",\"uniqueItems\":true}"
                                        : ",\"schema\":{\"type\":\"%s\",\"uniqueItems\":true}}",
               type);
}

void openapi_write_identity(struct openapi_paths *p, bool name, bool ns)
{
    if (name) {
        openapi_write_parameter(p, "path", "name", "string", "Name of the object.");
        buf_append_c(p->out, ",");
    }
    if (ns) {
        openapi_write_parameter(p, "path", "namespace", "string", "Namespace the objects are in.");
        buf_append_c(p->out, ",");
    }
}

/* Of every operation on a path. */
static void write_path_parameters(struct openapi_paths *p, bool name, bool ns)
{
    buf_append_c(p->out, "\"parameters\":[");
    openapi_write_identity(p, name, ns);
    openapi_write_parameter(p, "query", "pretty", "string",
                            "Answers are indented when this is true.");
    buf_append_c(p->out, "]");
}

static const char *body_model(const struct operation *o, const struct place *at)
{
    if ((o->takes & PATCH) != 0) {
        return OPENAPI_PATCH_MODEL;
    }
    return (o->takes & (DELETE | COLLECTION)) != 0 ? schema_DeleteOptions.model
                                                   : at->kind->schema->model;
}

static void write_parameters(struct openapi_paths *p, const struct operation *o,
                             const struct place *at)
{
    bool first = true;
    buf_append_c(p->out, "\"parameters\":[");
    for (size_t i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++) {
        if ((parameters[i].on & o->takes) != 0) {
            buf_append_c(p->out, first ? "" : ",");
            const struct parameter *q = &parameters[i];
            openapi_write_parameter(p, "query", q->name, q->type, q->doc);
            first = false;
        }
    }
    if (o->body && p->version == OPENAPI_V2) {
        buf_printf(p->out, "%s{\"name\":\"body\",\"in\":\"body\",\"required\":%s,\"schema\":",
                   first ? "" : ",", (o->takes & WRITE) != 0 ? "true" : "false");
        openapi_write_ref(p->out, body_model(o, at), p->version);
        buf_append_c(p->out, "}");
    }
    buf_append_c(p->out, "],");
}

/* ---- bodies and answers ---- */

/* model NULL: text. */
static void write_schema(struct openapi_paths *p, const char *model)
{
    if (model == NULL) {
        buf_append_c(p->out, "{\"type\":\"string\"}");
    } else {
        openapi_write_ref(p->out, model, p->version);
    }
}

static void write_content(struct openapi_paths *p, const char *const *types, const char *model)
{
    buf_append_c(p->out, "\"content\":{");
    for (size_t i = 0; types[i] != NULL; i++) {
        buf_printf(p->out, "%s\"%s\":{\"schema\":", i > 0 ? "," : "", types[i]);
        write_schema(p, model);
        buf_append_c(p->out, "}");
    }
    buf_append_c(p->out, "}");
}

static const char *answer_model(const struct operation *o, const struct place *at)
{
    if ((o->takes & LIST) != 0) {
        return at->kind->list_schema->model;
    }
    if ((o->takes & COLLECTION) != 0 ||
        ((o->takes & DELETE) != 0 && at->resource->delete_form == DELETE_RETURNS_STATUS)) {
        return schema_Status.model;
    }
    return at->kind->schema->model;
}

static void write_response(struct openapi_paths *p, const char *code, const char *word,
                           const char *const *types, const char *model)
{
    buf_printf(p->out, "\"%s\":{\"description\":\"%s\",", code, word);
    if (p->version == OPENAPI_V2) {
        buf_append_c(p->out, "\"schema\":");
        write_schema(p, model);
    } else {
        write_content(p, types, model);
    }
    buf_append_c(p->out, "},");
}

static void write_responses(struct openapi_paths *p, const struct operation *o,
                            const char *const *types, const char *model)
{
    buf_append_c(p->out, "\"responses\":{");
    write_response(p, "200", "OK", types, model);
    if ((o->takes & WRITE) != 0) {
        write_response(p, "201", "Created", types, model);
    }
    if (strcmp(o->method, "post") == 0 || (o->takes & DELETE) != 0) {
        write_response(p, "202", "Accepted", types, model);
    }
    buf_append_c(p->out, "\"401\":{\"description\":\"Unauthorized\"}}");
}

/* ---- operations ---- */

void openapi_append_title(struct buf *out, struct str word)
{
    if (word.len > 0) {
        char first = word.data[0];
        buf_append_byte(out, (uint8_t)(first >= 'a' && first <= 'z' ? first - 'a' + 'A' : first));
        buf_append_str(out, str_slice(word, 1, word.len));
    }
}

/* "core", "apps", "coordination". */
struct str openapi_group_word(const char *group)
{
    struct str rest = str_from(group[0] == '\0' ? "core" : group);
    struct str word = { 0 };
    (void)str_split(&rest, '.', &word);
    return word;
}

/* readCoreV1NamespacedPodStatus */
static void write_id(struct buf *out, const struct operation *o, const struct place *at)
{
    static const char collection[] = "Collection";
    struct str id = str_from(o->id);
    bool whole = str_ends(id, str_lit(collection));
    buf_append_c(out, "\"operationId\":\"");
    buf_append_str(out, whole ? str_slice(id, 0, id.len - (sizeof(collection) - 1)) : id);
    openapi_append_title(out, openapi_group_word(at->parent->group));
    openapi_append_title(out, str_from(at->parent->version));
    buf_append_c(out, whole ? collection : "");
    buf_append_c(out, at->parent->namespaced && !at->all_namespaces ? "Namespaced" : "");
    buf_append_c(out, at->parent->name);
    openapi_append_title(out, str_from(at->sub == NULL ? "" : at->sub->name));
    buf_append_c(out, at->all_namespaces ? "ForAllNamespaces\"," : "\",");
}

static bool is_text(const struct place *at)
{
    return at->sub != NULL && at->sub->bit == SUBRESOURCE_LOG;
}

static void write_exchange(struct openapi_paths *p, const struct operation *o,
                           const struct place *at)
{
    const char *const *bodies = (o->takes & PATCH) != 0 ? patch_types : any_type;
    const char *const *answers = is_text(at) ? text_type : media_types;
    if (p->version == OPENAPI_V2) {
        write_list(p->out, "consumes", bodies);
        write_list(p->out, "produces", answers);
        buf_append_c(p->out, "\"schemes\":[\"https\"],");
    } else if (o->body) {
        buf_append_c(p->out, "\"requestBody\":{");
        write_content(p, bodies, body_model(o, at));
        buf_append_c(p->out, (o->takes & WRITE) != 0 ? ",\"required\":true}," : "},");
    }
    write_responses(p, o, answers, is_text(at) ? NULL : answer_model(o, at));
}

static void write_operation(struct openapi_paths *p, const struct operation *o,
                            const struct place *at)
{
    struct str group = openapi_group_word(at->parent->group);
    buf_printf(p->out, "\"%s\":{\"description\":\"%s %s.\",\"tags\":[\"%.*s_%s\"],", o->method,
               o->doc, at->kind->name, STR_ARG(group), at->parent->version);
    write_id(p->out, o, at);
    write_parameters(p, o, at);
    write_exchange(p, o, at);
    buf_printf(p->out,
               ",\"x-kubernetes-action\":\"%s\",\"x-kubernetes-group-version-kind\":{\"group\":"
               "\"%s\",\"kind\":\"%s\",\"version\":\"%s\"}},",
               o->action, at->kind->group, at->kind->name, at->kind->version);
}

/* ---- paths ---- */

void openapi_write_prefix(struct openapi_paths *p, const char *group, const char *version)
{
    if (group[0] == '\0') {
        buf_printf(p->out, "/api/%s/", version);
    } else {
        buf_printf(p->out, "/apis/%s/%s/", group, version);
    }
}

static bool is_on(const struct operation *o, const struct place *at, const char *verbs,
                  bool collection)
{
    bool here = at->sub != NULL ? !collection : o->collection == collection;
    return here && openapi_has_word(verbs, o->verb) &&
           (!at->all_namespaces || (o->takes & LIST) != 0);
}

static bool any_on(const struct place *at, const char *verbs, bool collection)
{
    for (size_t i = 0; i < OPERATIONS; i++) {
        if (is_on(&operations[i], at, verbs, collection)) {
            return true;
        }
    }
    return false;
}

static void write_path(struct openapi_paths *p, const struct place *at, const char *verbs,
                       bool collection)
{
    const struct kind_info *k = at->parent;
    bool ns = k->namespaced && !at->all_namespaces;
    if (!any_on(at, verbs, collection)) {
        return;
    }
    buf_append_c(p->out, ",\"");
    openapi_write_prefix(p, k->group, k->version);
    buf_printf(p->out, "%s%s%s%s%s\":{", ns ? "namespaces/{namespace}/" : "", k->plural,
               collection ? "" : "/{name}", at->sub == NULL ? "" : "/",
               at->sub == NULL ? "" : at->sub->name);
    for (size_t i = 0; i < OPERATIONS; i++) {
        if (is_on(&operations[i], at, verbs, collection)) {
            write_operation(p, &operations[i], at);
        }
    }
    write_path_parameters(p, !collection, ns);
    buf_append_c(p->out, "}");
}

void openapi_write_resource_paths(struct openapi_paths *p, const struct resource *r)
{
    struct place at = { .resource = r, .parent = kind_info(r->kind), .kind = kind_info(r->kind) };
    const char *verbs = resource_verbs(r);
    write_path(p, &at, verbs, true);
    if (at.kind->namespaced) {
        at.all_namespaces = true;
        write_path(p, &at, verbs, true);
        at.all_namespaces = false;
    }
    if (kind_store(at.kind->kind) == KIND_NONE) {
        return;
    }
    write_path(p, &at, verbs, false);
    for (size_t i = 0; i < subresource_count; i++) {
        if ((r->subresources & subresource_table[i].bit) == 0) {
            continue;
        }
        at.sub = &subresource_table[i];
        if (at.sub->options != NULL) {
            openapi_write_connect_paths(p, at.parent, at.sub);
        } else {
            at.kind = at.sub->kind == KIND_NONE ? at.parent : kind_info(at.sub->kind);
            write_path(p, &at, at.sub->verbs, false);
        }
    }
}

void openapi_write_group_paths(struct openapi_paths *p, const struct group_version *g)
{
    struct str group = openapi_group_word(g->group);
    const struct operation list = { .method = "get" };
    buf_append_c(p->out, "\"");
    openapi_write_prefix(p, g->group, g->version);
    buf_printf(p->out,
               "\":{\"get\":{\"description\":\"List the resources of this group and "
               "version.\",\"tags\":[\"%.*s_%s\"],\"operationId\":\"get",
               STR_ARG(group), g->version);
    openapi_append_title(p->out, group);
    openapi_append_title(p->out, str_from(g->version));
    buf_append_c(p->out, "APIResources\",");
    if (p->version == OPENAPI_V2) {
        write_list(p->out, "produces", media_types);
        buf_append_c(p->out, "\"schemes\":[\"https\"],");
    }
    write_responses(p, &list, media_types, schema_APIResourceList.model);
    buf_append_c(p->out, "}}");
}
