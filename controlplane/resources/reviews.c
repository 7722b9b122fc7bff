/* Reviews: questions that are answered and not stored. What they must look like; the answers are
 * the API server's. */
#include "api/proto/authentication.pb-c.h"
#include "api/proto/authorization.pb-c.h"
#include "api/proto/meta.pb-c.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "controlplane/resources/rules.h"
#include "controlplane/resources/strategies.h"

/* Managed fields do not count, nor does the namespace where the review has one. */
static void validate_metadata(const ObjectMeta *meta, bool namespaced, struct err_list *out)
{
    static const ObjectMeta empty = OBJECT_META__INIT;
    struct field_path p = path_field(NULL, "metadata");
    ObjectMeta copy = *meta;
    copy.n_managed_fields = 0;
    copy.managed_fields = NULL;
    if (namespaced)
        copy.namespace_ = NULL;
    if (!schema_equal(&schema_ObjectMeta, &copy, &empty))
        rule_invalid_message(out, &p, &schema_ObjectMeta, meta,
                             namespaced ? "must be empty except for namespace" : "must be empty");
}

static void validate_attributes(const ResourceAttributes *resource,
                                const NonResourceAttributes *plain, struct err_list *out)
{
    struct field_path spec = path_field(NULL, "spec");
    struct field_path resource_path = path_field(&spec, "resourceAttributes");
    struct field_path plain_path = path_field(&spec, "nonResourceAttributes");
    if (resource != NULL && plain != NULL)
        rule_invalid_message(out, &plain_path, &schema_NonResourceAttributes, plain,
                             "cannot be specified in combination with resourceAttributes");
    if (resource == NULL && plain == NULL)
        rule_invalid_message(out, &resource_path, &schema_ResourceAttributes, NULL,
                             "exactly one of nonResourceAttributes or resourceAttributes must be "
                             "specified");
}

static void validate_subject(const SubjectAccessReviewSpec *s, struct err_list *out)
{
    struct field_path spec = path_field(NULL, "spec");
    struct field_path user = path_field(&spec, "user");
    validate_attributes(s->resource_attributes, s->non_resource_attributes, out);
    if (text_empty(s->user) && s->n_groups == 0)
        rule_invalid_text(out, &user, "", "at least one of user or group must be specified");
}

/* ---- SubjectAccessReview ---- */

static void subject_defaults(struct arena *a, void *object)
{
    (void)message_ensure(a, &((SubjectAccessReview *)object)->spec,
                         &subject_access_review_spec__descriptor);
}

static void subject_validate(const struct resource_context *c, const void *object,
                             struct err_list *out)
{
    const SubjectAccessReview *review = object;
    (void)c;
    validate_subject(review->spec, out);
    validate_metadata(review->metadata, false, out);
}

const struct resource_strategy subject_access_review_strategy = { .defaults = subject_defaults,
                                                                  .validate = subject_validate };

/* ---- LocalSubjectAccessReview ---- */

static void local_defaults(struct arena *a, void *object)
{
    (void)message_ensure(a, &((LocalSubjectAccessReview *)object)->spec,
                         &subject_access_review_spec__descriptor);
}

static void local_validate(const struct resource_context *c, const void *object,
                           struct err_list *out)
{
    const LocalSubjectAccessReview *review = object;
    const ResourceAttributes *resource = review->spec->resource_attributes;
    const NonResourceAttributes *plain = review->spec->non_resource_attributes;
    struct field_path spec = path_field(NULL, "spec");
    struct field_path attributes = path_field(&spec, "resourceAttributes");
    struct field_path namespace = path_field(&attributes, "namespace");
    struct field_path plain_path = path_field(&spec, "nonResourceAttributes");
    (void)c;
    validate_subject(review->spec, out);
    validate_metadata(review->metadata, true, out);
    if (resource != NULL && !text_eq(resource->namespace_, review->metadata->namespace_))
        rule_invalid_text(out, &namespace, resource->namespace_, "must match metadata.namespace");
    if (plain != NULL)
        rule_invalid_message(out, &plain_path, &schema_NonResourceAttributes, plain,
                             "disallowed on this kind of request");
}

const struct resource_strategy local_subject_access_review_strategy = { .defaults = local_defaults,
                                                                        .validate =
                                                                            local_validate };

/* ---- SelfSubjectAccessReview ---- */

static void self_defaults(struct arena *a, void *object)
{
    (void)message_ensure(a, &((SelfSubjectAccessReview *)object)->spec,
                         &self_subject_access_review_spec__descriptor);
}

static void self_validate(const struct resource_context *c, const void *object,
                          struct err_list *out)
{
    const SelfSubjectAccessReview *review = object;
    (void)c;
    validate_attributes(review->spec->resource_attributes, review->spec->non_resource_attributes,
                        out);
    validate_metadata(review->metadata, false, out);
}

const struct resource_strategy self_subject_access_review_strategy = { .defaults = self_defaults,
                                                                       .validate = self_validate };

/* ---- those with little to say ---- */

static void rules_defaults(struct arena *a, void *object)
{
    (void)message_ensure(a, &((SelfSubjectRulesReview *)object)->spec,
                         &self_subject_rules_review_spec__descriptor);
}

const struct resource_strategy self_subject_rules_review_strategy = { .defaults = rules_defaults };
const struct resource_strategy self_subject_review_strategy = { 0 };

static void token_defaults(struct arena *a, void *object)
{
    (void)message_ensure(a, &((TokenReview *)object)->spec, &token_review_spec__descriptor);
}

const struct resource_strategy token_review_strategy = { .defaults = token_defaults };
