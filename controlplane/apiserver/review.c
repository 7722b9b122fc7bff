/* Reviews: who somebody is and what they may do. Answered from authn and authz at once; nothing is
 * read or stored. */
#include "api/proto/authentication.pb-c.h"
#include "api/proto/authorization.pb-c.h"
#include "api/proto/meta.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/err_list.h"
#include "controlplane/apiserver/authz/authz.h"
#include "controlplane/apiserver/operations.h"
#include "controlplane/apiserver/write.h"

static char *copy_text(struct request *r, struct str text)
{
    return str_dup(&r->arena, text);
}

static char **copy_texts(struct request *r, const struct str *texts, size_t count)
{
    char **list = arena_array(&r->arena, count, sizeof(*list));
    for (size_t i = 0; i < count; i++) {
        list[i] = copy_text(r, texts[i]);
    }
    return list;
}

/* A list of one string. */
static char **one(struct request *r, const char *text, size_t *out_count)
{
    struct str only = str_from(text);
    *out_count = 1;
    return copy_texts(r, &only, 1);
}

/* ---- may they? ---- */

static bool allowed(const struct identity *who, const ResourceAttributes *resource,
                    const NonResourceAttributes *plain)
{
    struct authz_request q = { .identity = who, .resource = resource != NULL };
    if (resource != NULL) {
        q.verb = write_text(resource->verb).data;
        q.group = write_text(resource->group);
        q.plural = write_text(resource->resource);
        q.sub = write_text(resource->subresource);
        q.ns = write_text(resource->namespace_);
        q.name = write_text(resource->name);
    } else {
        q.verb = write_text(plain->verb).data;
        q.path = write_text(plain->path);
    }
    return authz_allow(&q);
}

static SubjectAccessReviewStatus *access_status(struct request *r, bool yes)
{
    SubjectAccessReviewStatus *status = schema_new(&r->arena, &schema_SubjectAccessReviewStatus);
    status->has_allowed = 1;
    status->allowed = yes;
    return status;
}

static struct identity subject_of(struct request *r, const SubjectAccessReviewSpec *spec)
{
    struct identity who = { .user = write_text(spec->user), .groups_count = spec->n_groups };
    who.groups = arena_array(&r->arena, spec->n_groups, sizeof(*who.groups));
    for (size_t i = 0; i < spec->n_groups; i++) {
        who.groups[i] = write_text(spec->groups[i]);
    }
    return who;
}

static SubjectAccessReviewStatus *answer_subject(struct request *r,
                                                 const SubjectAccessReviewSpec *spec)
{
    const struct identity who = subject_of(r, spec);
    return access_status(r,
                         allowed(&who, spec->resource_attributes, spec->non_resource_attributes));
}

static int subject_answer(struct request *r, void *object)
{
    SubjectAccessReview *review = object;
    review->status = answer_subject(r, review->spec);
    return 0;
}

static int local_answer(struct request *r, void *object)
{
    LocalSubjectAccessReview *review = object;
    review->status = answer_subject(r, review->spec);
    return 0;
}

static int self_answer(struct request *r, void *object)
{
    SelfSubjectAccessReview *review = object;
    const SelfSubjectAccessReviewSpec *spec = review->spec;
    review->status = access_status(
        r, allowed(&r->identity, spec->resource_attributes, spec->non_resource_attributes));
    return 0;
}

/* ---- all they may do ---- */

static char **names_of(struct request *r, const struct authz_rule *rule, size_t *out_count)
{
    struct str names[AUTHZ_NAMES_MAX];
    *out_count = 0;
    while (rule->names[*out_count] != NULL) {
        names[*out_count] = str_from(rule->names[*out_count]);
        (*out_count)++;
    }
    return copy_texts(r, names, *out_count);
}

static void add_resource_rule(struct request *r, SubjectRulesReviewStatus *status,
                              const struct authz_rule *from)
{
    ResourceRule *rule = schema_new(&r->arena, &schema_ResourceRule);
    rule->verbs = one(r, from->verb, &rule->n_verbs);
    rule->api_groups = one(r, from->group, &rule->n_api_groups);
    rule->resources = names_of(r, from, &rule->n_resources);
    status->resource_rules[status->n_resource_rules++] = rule;
}

static void add_plain_rule(struct request *r, SubjectRulesReviewStatus *status,
                           const struct authz_rule *from)
{
    NonResourceRule *rule = schema_new(&r->arena, &schema_NonResourceRule);
    rule->verbs = one(r, from->verb, &rule->n_verbs);
    rule->non_resource_urls = names_of(r, from, &rule->n_non_resource_urls);
    status->non_resource_rules[status->n_non_resource_rules++] = rule;
}

static int rules_answer(struct request *r, void *object)
{
    SelfSubjectRulesReview *review = object;
    const struct authz_rule *rule = NULL;
    size_t count = 0;
    if (write_text(review->spec->namespace_).len == 0) {
        return status_bad_request(&r->status, str_lit("no namespace on request"));
    }
    while (authz_rule_at(&r->identity, count) != NULL) {
        count++;
    }
    SubjectRulesReviewStatus *status = schema_new(&r->arena, &schema_SubjectRulesReviewStatus);
    status->resource_rules = arena_array(&r->arena, count, sizeof(ResourceRule *));
    status->non_resource_rules = arena_array(&r->arena, count, sizeof(NonResourceRule *));
    for (size_t i = 0; (rule = authz_rule_at(&r->identity, i)) != NULL; i++) {
        if (rule->resource) {
            add_resource_rule(r, status, rule);
        } else {
            add_plain_rule(r, status, rule);
        }
    }
    review->status = status;
    return 0;
}

/* ---- who are they? ---- */

static UserInfo__ExtraEntry *extra_entry(struct request *r, const struct identity_extra *from)
{
    UserInfo__ExtraEntry *entry = arena_new(&r->arena, UserInfo__ExtraEntry);
    user_info__extra_entry__init(entry);
    entry->key = copy_text(r, from->key);
    entry->value = schema_new(&r->arena, &schema_ExtraValue);
    entry->value->n_items = from->values_count;
    entry->value->items = copy_texts(r, from->values, from->values_count);
    return entry;
}

static int whoami_answer(struct request *r, void *object)
{
    SelfSubjectReview *review = object;
    const struct identity *who = &r->identity;
    UserInfo *user = schema_new(&r->arena, &schema_UserInfo);
    user->username = copy_text(r, who->user);
    user->uid = copy_text(r, who->uid);
    user->n_groups = who->groups_count;
    user->groups = copy_texts(r, who->groups, who->groups_count);
    user->extra = arena_array(&r->arena, who->extras_count, sizeof(*user->extra));
    for (size_t i = 0; i < who->extras_count; i++) {
        user->extra[user->n_extra++] = extra_entry(r, &who->extras[i]);
    }
    review->status = schema_new(&r->arena, &schema_SelfSubjectReviewStatus);
    review->status->user_info = user;
    return 0;
}

/* No token is anybody's: authn knows certificates only. */
static int token_answer(struct request *r, void *object)
{
    TokenReview *review = object;
    if (write_text(review->spec->token).len == 0) {
        return status_bad_request(&r->status,
                                  str_lit("token is required for TokenReview in authentication"));
    }
    review->status = schema_new(&r->arena, &schema_TokenReviewStatus);
    review->status->error = copy_text(r, str_lit("invalid bearer token"));
    return 0;
}

/* ---- the operation ---- */

static const struct {
    enum kind kind;
    int (*answer)(struct request *r, void *object); /* fills status; -ERR_X with r->status set */
} answers[] = {
    { KIND_TOKEN_REVIEW, token_answer },
    { KIND_SELF_SUBJECT_REVIEW, whoami_answer },
    { KIND_LOCAL_SUBJECT_ACCESS_REVIEW, local_answer },
    { KIND_SELF_SUBJECT_ACCESS_REVIEW, self_answer },
    { KIND_SELF_SUBJECT_RULES_REVIEW, rules_answer },
    { KIND_SUBJECT_ACCESS_REVIEW, subject_answer },
};

static int answer(struct request *r, void *object)
{
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        if (answers[i].kind == r->kind->kind) {
            return answers[i].answer(r, object);
        }
    }
    return status_no_route(&r->status);
}

/* The namespace of the URL goes into the review; others have none, whatever they say. */
static int place(struct request *r, ObjectMeta *meta)
{
    struct str ns = write_text(meta->namespace_);
    if (!r->kind->namespaced) {
        meta->namespace_ = NULL;
        return 0;
    }
    if (ns.len > 0 && !str_eq(ns, r->route.ns)) {
        return status_bad_request(&r->status,
                                  str_lit("the namespace of the provided object does not match "
                                          "the namespace sent on the request"));
    }
    meta->namespace_ = copy_text(r, r->route.ns);
    return 0;
}

static int check(struct request *r, const void *object)
{
    const struct resource_context context = request_context(r);
    struct err_list errors;
    err_list_init(&errors, &r->arena);
    if (r->resource->strategy->validate != NULL) {
        r->resource->strategy->validate(&context, object, &errors);
    }
    return write_check(r, r->kind, str_lit(""), &errors);
}

static enum request_run review_run(struct request *r)
{
    const struct body_type type = body_type_of(r->kind);
    void *object = NULL;
    if (write_check_options(r, "CreateOptions") != 0 ||
        object_decode_body(r, &type, &object) != 0 || place(r, resource_meta(object)) != 0) {
        return RUN_FAIL;
    }
    resource_defaults(r->resource, &r->arena, object);
    if (check(r, object) != 0 || answer(r, object) != 0) {
        return RUN_FAIL;
    }
    return object_answer(r, 201, r->kind, schema_pack_arena(&r->arena, r->kind->schema, object), 0);
}

const struct operation operation_review = {
    .name = "review",
    .body = true,
    .mode = READ_LOCAL,
    .allow = MEDIA_ALLOW_YAML | MEDIA_ALLOW_PROTOBUF,
    .run = review_run,
};
