/*
 * POST of pods/NAME/eviction: a delete that disruption budgets may refuse.
 *
 * There are no budgets yet (policy/v1 PodDisruptionBudget is not served), so no pod has one that
 * matches, and a pod without a matching budget is evicted: it is deleted as the options in the body
 * say. When budgets come, the check stands before delete_named.
 */
#include "api/meta/object.h"
#include "api/proto/meta.pb-c.h"
#include "api/proto/policy.pb-c.h"
#include "api/proto/schemas.h"
#include "controlplane/apiserver/operations.h"
#include "controlplane/apiserver/write.h"

static enum request_run answer_evicted(struct request *r, struct str payload)
{
    (void)payload;
    status_success(&r->status, r->kind, str_lit(""), str_lit(""));
    r->status.code = 201;
    return request_answer_status(r);
}

/* The body's options, checked; absent ones are empty ones. */
static int read_eviction(struct request *r, DeleteOptions **out)
{
    const struct body_type type = body_type_of(kind_info(KIND_EVICTION));
    void *object = NULL;
    if (write_check_options(r, "CreateOptions") != 0 ||
        object_decode_body(r, &type, &object) != 0) {
        return -ERR_INVALID_ARGUMENT;
    }
    const Eviction *eviction = object;
    if (!str_eq(write_text(eviction->metadata->name), r->route.name)) {
        return status_bad_request(&r->status,
                                  str_lit("name in URL does not match name in Eviction object"));
    }
    struct str ns = write_text(eviction->metadata->namespace_);
    if (ns.len > 0 && !str_eq(ns, r->route.ns)) {
        return status_bad_request(&r->status,
                                  str_lit("the namespace of the provided object does not match "
                                          "the namespace sent on the request"));
    }
    *out = eviction->delete_options != NULL ? eviction->delete_options
                                            : schema_new(&r->arena, &schema_DeleteOptions);
    return delete_check_options(r, *out);
}

static enum request_run evict_run(struct request *r)
{
    DeleteOptions *options = NULL;
    return read_eviction(r, &options) != 0 ? RUN_FAIL
                                           : delete_named(r, 201, answer_evicted, options);
}

const struct operation operation_evict = {
    .name = "evict",
    .body = true,
    .mode = READ_OPTIMISTIC,
    .allow = MEDIA_ALLOW_YAML | MEDIA_ALLOW_PROTOBUF,
    .run = evict_run,
    .committed = write_committed,
};
