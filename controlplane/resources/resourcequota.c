/* ResourceQuotas as data: what may be limited and within which scopes. Nothing is charged yet. */
#include "api/proto/core.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "base/buf.h"
#include "controlplane/resources/quantities.h"
#include "controlplane/resources/strategies.h"

static const char *const scopes[] = { "BestEffort",
                                      "CrossNamespacePodAffinity",
                                      "NotBestEffort",
                                      "NotTerminating",
                                      "PriorityClass",
                                      "Terminating",
                                      "VolumeAttributesClass",
                                      NULL };

#define SCOPES (sizeof(scopes) / sizeof(scopes[0]) - 1)

static void defaults(struct arena *a, void *object)
{
    ResourceQuota *quota = object;
    (void)message_ensure(a, &quota->spec, &resource_quota_spec__descriptor);
    (void)message_ensure(a, &quota->status, &resource_quota_status__descriptor);
}

static void prepare_create(const struct resource_context *c, void *object)
{
    ResourceQuota *quota = object;
    quota->status = arena_new(c->arena, ResourceQuotaStatus);
    resource_quota_status__init(quota->status);
}

static void prepare_update(const struct resource_context *c, void *object, const void *old)
{
    (void)c;
    ((ResourceQuota *)object)->status = ((const ResourceQuota *)old)->status;
}

static void prepare_status(const struct resource_context *c, void *object, const void *old)
{
    (void)c;
    ((ResourceQuota *)object)->spec = ((const ResourceQuota *)old)->spec;
}

static void validate_amounts(const struct quantities *all, const struct field_path *path,
                             struct err_list *out)
{
    for (size_t i = 0; i < all->count; i++) {
        const char *name = quantities_key(all, i);
        struct field_path p = path_key(path, name);
        struct quantity amount = { 0 };
        if (quantities_value(all, i, &amount))
            check_quota_resource(out, &p, name, &amount);
        else
            rule_invalid_text(out, &p, "", "must be a quantity");
    }
}

/* ["a","b"] */
static const char *scopes_shown(struct arena *a, const ResourceQuotaSpec *spec)
{
    struct buf b;
    buf_init(&b);
    for (size_t i = 0; i < spec->n_scopes && b.len < RULE_VALUE_BYTES_MAX; i++)
        buf_printf(&b, "%s%s", i == 0 ? "[" : ",", text_quoted(a, spec->scopes[i]));
    buf_append_c(&b, spec->n_scopes == 0 ? "null" : "]");
    const char *shown = str_dup(a, buf_str(&b));
    buf_deinit(&b);
    return shown;
}

static bool has_scope(const ResourceQuotaSpec *spec, const char *scope)
{
    for (size_t i = 0; i < spec->n_scopes; i++) {
        if (text_eq(spec->scopes[i], scope))
            return true;
    }
    return false;
}

static bool listed(const char *const *list, const char *text)
{
    for (; *list != NULL; list++) {
        if (text_eq(*list, text))
            return true;
    }
    return false;
}

static bool is_scope(const char *scope)
{
    return listed(scopes, scope);
}

/* Both are known. A scope says which pods (or claims) count; nothing else can be counted within it.
 */
static bool scope_counts(const char *scope, const char *resource)
{
    static const char *const compute[] = {
        "cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory", NULL
    };
    static const char *const storage[] = { "persistentvolumeclaims", "requests.storage", NULL };
    if (text_eq(scope, "VolumeAttributesClass"))
        return listed(storage, resource);
    return text_eq(resource, "pods") ||
           (!text_eq(scope, "BestEffort") && listed(compute, resource));
}

/* Which scopes go with everything that is limited. */
struct fitting {
    bool fits[SCOPES];
};

static struct fitting fitting_of(const ResourceQuotaSpec *spec)
{
    const struct quantities hard = { .entries = spec->hard, .count = spec->n_hard };
    struct fitting f;
    for (size_t k = 0; k < SCOPES; k++)
        f.fits[k] = true;
    for (size_t i = 0; i < hard.count; i++) {
        const char *resource = quantities_key(&hard, i);
        bool known = resource_is_quota(resource);
        for (size_t k = 0; known && k < SCOPES; k++)
            f.fits[k] = f.fits[k] && scope_counts(scopes[k], resource);
    }
    return f;
}

static bool scope_fits(const struct fitting *f, const char *scope)
{
    for (size_t k = 0; k < SCOPES; k++) {
        if (text_eq(scopes[k], scope))
            return f->fits[k];
    }
    return true; /* none at all: told already */
}

static void validate_scopes(const ResourceQuotaSpec *spec, const struct fitting *f,
                            struct err_list *out)
{
    struct field_path up = path_field(NULL, "spec");
    struct field_path p = path_field(&up, "scopes");
    for (size_t i = 0; i < spec->n_scopes; i++) {
        if (!is_scope(spec->scopes[i]) && !err_list_full(out))
            rule_invalid(out, &p, scopes_shown(out->arena, spec), "unsupported scope");
        if (!scope_fits(f, spec->scopes[i]) && !err_list_full(out))
            rule_invalid(out, &p, scopes_shown(out->arena, spec),
                         "unsupported scope applied to resource");
    }
    if ((has_scope(spec, "BestEffort") && has_scope(spec, "NotBestEffort")) ||
        (has_scope(spec, "Terminating") && has_scope(spec, "NotTerminating")))
        rule_invalid(out, &p, scopes_shown(out->arena, spec), "conflicting scopes");
}

static void validate_requirement(const ScopedResourceSelectorRequirement *r,
                                 const struct field_path *p, struct err_list *out)
{
    static const char *const operators[] = { "DoesNotExist", "Exists", "In", "NotIn", NULL };
    static const char *const valued[] = { "PriorityClass", "VolumeAttributesClass", NULL };
    struct field_path name = path_field(p, "scopeName");
    struct field_path op = path_field(p, "operator");
    struct field_path values = path_field(p, "values");
    bool set = text_eq(r->operator_, "In") || text_eq(r->operator_, "NotIn");
    if (!is_scope(r->scope_name))
        rule_invalid_text(out, &name, r->scope_name, "unsupported scope");
    else if (!listed(valued, r->scope_name) && !text_eq(r->operator_, "Exists"))
        rule_invalid_text(out, &op, r->operator_,
                          "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, "
                          "ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, "
                          "ResourceQuotaScopeNotBestEffort or "
                          "ResourceQuotaScopeCrossNamespacePodAffinity");
    if (!listed(operators, r->operator_))
        rule_invalid_text(out, &op, r->operator_, "not a valid selector operator");
    else if (set && r->n_values == 0)
        rule_required(out, &values,
                      "must be at least one value when `operator` is 'In' or 'NotIn' for scope "
                      "selector");
    else if (!set && r->n_values > 0)
        rule_invalid_list(out, &values, r->values, r->n_values,
                          "must be no value when `operator` is 'Exist' or 'DoesNotExist' for "
                          "scope selector");
}

static bool selects_scope(const ScopeSelector *selector, const char *scope)
{
    for (size_t i = 0; i < selector->n_match_expressions; i++) {
        if (text_eq(selector->match_expressions[i]->scope_name, scope))
            return true;
    }
    return false;
}

/* Upstream names no index here. */
static void validate_selector(const ResourceQuotaSpec *spec, const struct fitting *f,
                              struct err_list *out)
{
    const ScopeSelector *selector = spec->scope_selector;
    struct field_path up = path_field(NULL, "spec");
    struct field_path at = path_field(&up, "scopeSelector");
    struct field_path p = path_field(&at, "matchExpressions");
    if (selector == NULL)
        return;
    for (size_t i = 0; i < selector->n_match_expressions; i++) {
        const ScopedResourceSelectorRequirement *r = selector->match_expressions[i];
        if (!scope_fits(f, r->scope_name))
            rule_invalid_message(out, &p, &schema_ScopeSelector, selector,
                                 "unsupported scope applied to resource");
        validate_requirement(r, &p, out);
    }
    if ((selects_scope(selector, "BestEffort") && selects_scope(selector, "NotBestEffort")) ||
        (selects_scope(selector, "Terminating") && selects_scope(selector, "NotTerminating")))
        rule_invalid(out, &p, scopes_shown(out->arena, spec), "conflicting scopes");
}

static void validate(const struct resource_context *c, const void *object, struct err_list *out)
{
    const ResourceQuotaSpec *spec = ((const ResourceQuota *)object)->spec;
    struct field_path path = path_field(NULL, "spec");
    struct field_path hard = path_field(&path, "hard");
    const struct quantities amounts = { .entries = spec->hard, .count = spec->n_hard };
    const struct fitting fitting = fitting_of(spec);
    (void)c;
    validate_amounts(&amounts, &hard, out);
    validate_scopes(spec, &fitting, out);
    validate_selector(spec, &fitting, out);
}

static void validate_update(const struct resource_context *c, const void *object, const void *old,
                            struct err_list *out)
{
    const ResourceQuotaSpec *spec = ((const ResourceQuota *)object)->spec;
    const ResourceQuotaSpec *was = ((const ResourceQuota *)old)->spec;
    struct field_path path = path_field(NULL, "spec");
    struct field_path p = path_field(&path, "scopes");
    bool same = was != NULL && spec->n_scopes == was->n_scopes;
    struct keys old_scopes = keys_new(c->arena, same ? was->n_scopes : 0);
    for (size_t i = 0; same && i < was->n_scopes; i++)
        keys_add(&old_scopes, (struct key){ .text = was->scopes[i] });
    keys_sort(&old_scopes);
    for (size_t i = 0; same && i < spec->n_scopes; i++)
        same = keys_have(&old_scopes, spec->scopes[i]);
    if (!same)
        rule_invalid(out, &p, scopes_shown(out->arena, spec), "field is immutable");
}

static void validate_status(const struct resource_context *c, const void *object, const void *old,
                            struct err_list *out)
{
    const ResourceQuotaStatus *status = ((const ResourceQuota *)object)->status;
    struct field_path path = path_field(NULL, "status");
    struct field_path hard_path = path_field(&path, "hard");
    struct field_path used_path = path_field(&path, "used");
    (void)c;
    (void)old;
    if (status == NULL)
        return;
    const struct quantities hard = { .entries = status->hard, .count = status->n_hard };
    const struct quantities used = { .entries = status->used, .count = status->n_used };
    validate_amounts(&hard, &hard_path, out);
    validate_amounts(&used, &used_path, out);
}

const struct resource_strategy resource_quota_strategy = { .defaults = defaults,
                                                           .prepare_create = prepare_create,
                                                           .prepare_update = prepare_update,
                                                           .prepare_status = prepare_status,
                                                           .validate = validate,
                                                           .validate_update = validate_update,
                                                           .validate_status = validate_status };
