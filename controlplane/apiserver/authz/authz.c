/* Everybody who is somebody may do everything, until RBAC comes, and who is impersonated what
 * upstream's default roles give. Nobody is asked about in reviews only: authn refuses who has no
 * certificate. */
#include "controlplane/apiserver/authz/authz.h"

#include "controlplane/apiserver/authn/authn.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct authz_rule administrator[] = {
    { .resource = true, .verb = "*", .group = "*", .names = { "*" } },
    { .verb = "*", .names = { "*" } },
};

/* Upstream's system:basic-user, system:discovery and system:public-info-viewer. */
static const struct authz_rule authenticated[] = {
    { .resource = true,
      .verb = "create",
      .group = "authorization.k8s.io",
      .names = { "selfsubjectaccessreviews", "selfsubjectrulesreviews" } },
    { .resource = true,
      .verb = "create",
      .group = "authentication.k8s.io",
      .names = { "selfsubjectreviews" } },
    { .verb = "get",
      .names = { "/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi",
                 "/openapi/*", "/readyz", "/version", "/version/" } },
};

static const struct authz_rule unauthenticated[] = {
    { .verb = "get", .names = { "/healthz", "/livez", "/readyz", "/version", "/version/" } },
};

static bool in_group(const struct identity *who, const char *group)
{
    for (size_t i = 0; i < who->groups_count; i++) {
        if (str_eq_c(who->groups[i], group)) {
            return true;
        }
    }
    return false;
}

static const struct authz_rule *rules_of(const struct identity *who, size_t *out_count)
{
    *out_count = 0;
    if (!who->impersonated) {
        bool somebody = who->user.len > 0 && !str_eq_c(who->user, "system:anonymous");
        *out_count = somebody ? COUNT(administrator) : 0;
        return administrator;
    }
    if (in_group(who, "system:masters")) {
        *out_count = COUNT(administrator);
        return administrator;
    }
    if (in_group(who, "system:authenticated")) {
        *out_count = COUNT(authenticated);
        return authenticated;
    }
    *out_count = in_group(who, "system:unauthenticated") ? COUNT(unauthenticated) : 0;
    return unauthenticated;
}

const struct authz_rule *authz_rule_at(const struct identity *who, size_t i)
{
    size_t count = 0;
    const struct authz_rule *rules = rules_of(who, &count);
    return i < count ? &rules[i] : NULL;
}

/* pattern may be "*", of paths also end with it. */
static bool matches(const char *pattern, struct str text, bool path)
{
    struct str p = str_from(pattern);
    if (str_eq_c(p, "*") || str_eq(p, text)) {
        return true;
    }
    return path && str_ends(p, str_lit("*")) && str_starts(text, str_slice(p, 0, p.len - 1));
}

/* "pods" of a rule is not "pods/log". */
static bool names_it(const struct authz_rule *rule, const struct authz_request *q)
{
    for (size_t i = 0; rule->names[i] != NULL; i++) {
        if (!rule->resource && matches(rule->names[i], q->path, true)) {
            return true;
        }
        if (rule->resource &&
            matches(rule->names[i], q->sub.len == 0 ? q->plural : str_lit(""), false)) {
            return true;
        }
    }
    return false;
}

bool authz_allow(const struct authz_request *q)
{
    const struct authz_rule *rule = NULL;
    for (size_t i = 0; (rule = authz_rule_at(q->identity, i)) != NULL; i++) {
        if (rule->resource == q->resource && matches(rule->verb, str_from(q->verb), false) &&
            (!q->resource || matches(rule->group, q->group, false)) && names_it(rule, q)) {
            return true;
        }
    }
    return false;
}
