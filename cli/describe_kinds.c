/* describe of the kinds that are mostly data (see describe.h). */
#include "api/meta/quantity.h"
#include "api/schema/json.h"
#include "cli/age.h"
#include "cli/describe.h"
#include "cli/tree.h"

/* ---- config maps, secrets, service accounts ---- */

static size_t decoded_bytes(struct page *p, const struct json *value)
{
    struct str bytes;
    return str_base64_decode(&p->cli->arena, json_str(value), &bytes) == 0 ? bytes.len : 0;
}

void describe_configmap(struct page *p)
{
    struct arena *a = &p->cli->arena;
    const struct json *data = json_get_c(p->object, "data");
    const struct json *binary = json_get_c(p->object, "binaryData");
    struct json texts = tree_sorted(a, data != NULL ? data : &json_null);
    struct json bytes = tree_sorted(a, binary != NULL ? binary : &json_null);
    page_head(p);
    page_meta(p);
    page_write(p, 0, "\nData\n====\n");
    for (size_t i = 0; i < tree_count(&texts); i++) {
        page_write(p, 0, "%.*s:\n----\n", STR_ARG(texts.u.members[i].key));
        page_write(p, 0, "%.*s\n\n", STR_ARG(json_str(&texts.u.members[i].value)));
    }
    page_write(p, 0, "\nBinaryData\n====\n");
    for (size_t i = 0; i < tree_count(&bytes); i++)
        page_write(p, 0, "%.*s: %zu bytes\n", STR_ARG(bytes.u.members[i].key),
                   decoded_bytes(p, &bytes.u.members[i].value));
    page_write(p, 0, "\n");
    page_events(p, true);
}

void describe_secret(struct page *p)
{
    const struct json *data = json_get_c(p->object, "data");
    struct json sorted = tree_sorted(&p->cli->arena, data != NULL ? data : &json_null);
    struct str type = tree_text(p->object, "type", NULL);
    page_head(p);
    page_meta(p);
    page_write(p, 0, "\nType:\t%.*s\n", STR_ARG(type));
    page_write(p, 0, "\nData\n====\n");
    for (size_t i = 0; i < tree_count(&sorted); i++) {
        struct str key = sorted.u.members[i].key;
        const struct json *value = &sorted.u.members[i].value;
        struct str token;
        if (str_eq_c(key, "token") && str_eq_c(type, "kubernetes.io/service-account-token") &&
            str_base64_decode(&p->cli->arena, json_str(value), &token) == 0)
            page_write(p, 0, "%.*s:\t%.*s\n", STR_ARG(key), STR_ARG(token));
        else
            page_write(p, 0, "%.*s:\t%zu bytes\n", STR_ARG(key), decoded_bytes(p, value));
    }
}

static void write_names(struct page *p, const char *title, const struct json *references)
{
    if (tree_count(references) == 0)
        page_write(p, 0, "%s\t<none>\n", title);
    for (size_t i = 0; i < tree_count(references); i++)
        page_write(p, 0, "%s\t%.*s\n", i == 0 ? title : "                   ",
                   STR_ARG(tree_text(tree_item(references, i), "name", NULL)));
}

void describe_serviceaccount(struct page *p)
{
    page_head(p);
    page_meta(p);
    write_names(p, "Image pull secrets:", json_get_c(p->object, "imagePullSecrets"));
    write_names(p, "Mountable secrets: ", json_get_c(p->object, "secrets"));
    page_write(p, 0, "Tokens:            \t<none>\n");
    page_events(p, true);
}

/* ---- namespaces, quotas, limits ---- */

static void write_used(struct page *p, int level, const struct json *quota)
{
    const struct json *hard = tree_at(quota, "status", "hard", NULL);
    const struct json *used = tree_at(quota, "status", "used", NULL);
    struct json sorted = tree_sorted(&p->cli->arena, hard != NULL ? hard : &json_null);
    for (size_t i = 0; i < tree_count(&sorted); i++) {
        struct str name = sorted.u.members[i].key;
        page_write(p, level, "%.*s\t%.*s\t%.*s\n", STR_ARG(name),
                   STR_ARG(page_quantity(p, json_get(used, name))),
                   STR_ARG(page_quantity(p, &sorted.u.members[i].value)));
    }
}

static const char *scope_help(struct str scope)
{
    static const char *const helps[][2] = {
        { "Terminating", "Matches all pods that have an active deadline. These pods have a limited "
                         "lifespan on a node before being actively terminated by the system." },
        { "NotTerminating", "Matches all pods that do not have an active deadline. These pods "
                            "usually include long running pods whose container command is not "
                            "expected to terminate." },
        { "BestEffort", "Matches all pods that do not have resource requirements set. These pods "
                        "have a best effort quality of service." },
        { "NotBestEffort", "Matches all pods that have at least one resource requirement set. "
                           "These pods have a burstable or guaranteed quality of service." }
    };
    for (size_t i = 0; i < sizeof helps / sizeof helps[0]; i++)
        if (str_eq_c(scope, helps[i][0]))
            return helps[i][1];
    return NULL;
}

static void write_scopes(struct page *p, int level, const char *bullet, const struct json *quota)
{
    const struct json *scopes = tree_at(quota, "spec", "scopes", NULL);
    if (tree_count(scopes) == 0)
        return;
    page_write(p, level, "Scopes:\t");
    for (size_t i = 0; i < tree_count(scopes); i++)
        page_write(p, 0, "%s%.*s", i > 0 ? ", " : "", STR_ARG(json_str(tree_item(scopes, i))));
    page_write(p, 0, "\n");
    for (size_t i = 0; i < tree_count(scopes); i++) {
        const char *help = scope_help(json_str(tree_item(scopes, i)));
        if (help != NULL)
            page_write(p, level, "%s %s\n", bullet, help);
    }
}

void describe_quota(struct page *p)
{
    page_head(p);
    write_scopes(p, 0, " *", p->object);
    page_write(p, 0, "Resource\tUsed\tHard\n");
    page_write(p, 0, "--------\t----\t----\n");
    write_used(p, 0, p->object);
}

static void write_quotas(struct page *p, const struct json *quotas)
{
    if (tree_count(quotas) == 0) {
        page_write(p, 0, "No resource quota.\n");
        return;
    }
    page_write(p, 0, "Resource Quotas\n");
    for (size_t i = 0; i < tree_count(quotas); i++) {
        const struct json *q = tree_item(quotas, i);
        page_write(p, 1, "Name:\t%.*s\n", STR_ARG(tree_text(q, "metadata", "name", NULL)));
        write_scopes(p, 1, "*", q);
        page_write(p, 1, "Resource\tUsed\tHard\n");
        page_write(p, 1, "--------\t---\t---\n");
        write_used(p, 1, q);
    }
}

static struct str or_dash(struct page *p, const struct json *list, struct str name)
{
    const struct json *value = json_get(list, name);
    return value != NULL ? page_quantity(p, value) : str_lit("-");
}

/* The lists of a limit, in the order of the columns. */
static const char *const limit_lists[] = { "min", "max", "defaultRequest", "default",
                                           "maxLimitRequestRatio" };
#define LIMIT_LISTS (sizeof limit_lists / sizeof limit_lists[0])

/* A row of each resource that any of the lists names. */
static void write_limit(struct page *p, const char *prefix, const struct json *item)
{
    struct json names = json_object(NULL, 0);
    for (size_t i = 0; i < LIMIT_LISTS; i++) {
        const struct json *list = json_get_c(item, limit_lists[i]);
        for (size_t k = 0; k < tree_count(list); k++)
            names = tree_with(&p->cli->arena, &names,
                              str_dup(&p->cli->arena, list->u.members[k].key), &json_null);
    }
    names = tree_sorted(&p->cli->arena, &names);
    for (size_t i = 0; i < tree_count(&names); i++) {
        struct str name = names.u.members[i].key;
        page_write(p, 0, "%s%.*s\t%.*s", prefix, STR_ARG(tree_text(item, "type", NULL)),
                   STR_ARG(name));
        for (size_t k = 0; k < LIMIT_LISTS; k++)
            page_write(p, 0, "\t%.*s", STR_ARG(or_dash(p, json_get_c(item, limit_lists[k]), name)));
        page_write(p, 0, "\n");
    }
}

static void write_limits(struct page *p, const char *prefix, const struct json *range)
{
    const struct json *limits = tree_at(range, "spec", "limits", NULL);
    for (size_t i = 0; i < tree_count(limits); i++)
        write_limit(p, prefix, tree_item(limits, i));
}

static void write_limit_titles(struct page *p, const char *prefix)
{
    page_write(p, 0,
               "%sType\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request "
               "Ratio\n",
               prefix);
    page_write(p, 0,
               "%s----\t--------\t---\t---\t---------------\t-------------\t-----------------------"
               "\n",
               prefix);
}

void describe_limits(struct page *p)
{
    page_head(p);
    write_limit_titles(p, "");
    write_limits(p, "", p->object);
}

void describe_namespace(struct page *p)
{
    struct arena *a = &p->cli->arena;
    const struct json *conditions = tree_at(p->object, "status", "conditions", NULL);
    struct str name = tree_text(p->object, "metadata", "name", NULL);
    const char *root = str_printf(a, "/api/v1/namespaces/%.*s/", STR_ARG(name)).data;
    page_write(p, 0, "Name:\t%.*s\n", STR_ARG(name));
    page_meta(p);
    page_write(p, 0, "Status:\t%.*s\n", STR_ARG(tree_text(p->object, "status", "phase", NULL)));
    if (tree_count(conditions) > 0) {
        page_write(p, 0, "Conditions:\n");
        page_write(p, 1, "Type\tStatus\tLastTransitionTime\tReason\tMessage\n");
        page_write(p, 1, "----\t------\t------------------\t------\t-------\n");
    }
    for (size_t i = 0; i < tree_count(conditions); i++) {
        const struct json *c = tree_item(conditions, i);
        page_write(p, 1, "%.*s\t%.*s\t%.*s\t%.*s\t%.*s\n", STR_ARG(tree_text(c, "type", NULL)),
                   STR_ARG(tree_text(c, "status", NULL)),
                   STR_ARG(age_date(p->cli, tree_text(c, "lastTransitionTime", NULL))),
                   STR_ARG(tree_text(c, "reason", NULL)), STR_ARG(tree_text(c, "message", NULL)));
    }
    page_write(p, 0, "\n");
    write_quotas(p, page_list(p, str_printf(a, "%sresourcequotas", root).data, "limit=500"));
    const struct json *ranges =
        page_list(p, str_printf(a, "%slimitranges", root).data, "limit=500");
    page_write(p, 0, "\n");
    if (tree_count(ranges) == 0) {
        page_write(p, 0, "No LimitRange resource.\n");
        return;
    }
    page_write(p, 0, "Resource Limits\n");
    write_limit_titles(p, " ");
    for (size_t i = 0; i < tree_count(ranges); i++)
        write_limits(p, " ", tree_item(ranges, i));
}
