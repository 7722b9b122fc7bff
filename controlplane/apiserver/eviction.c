/*
 * POST of pods/NAME/eviction: a delete that disruption budgets may refuse.
 *
 * A pod that runs is asked for in the budgets of its namespace whose selector matches it. More than
 * one is an error, as upstream has it; none, or a pod that has not begun or is at its end: it is
 * deleted as the options in the body say. One: its status, which the disruption controller keeps,
 * says whether one more may go; the count goes down in the transaction that deletes the pod.
 */
#include "api/meta/condition.h"
#include "api/meta/key.h"
#include "api/meta/object.h"
#include "api/meta/selector.h"
#include "api/meta/text.h"
#include "api/proto/core.pb-c.h"
#include "api/proto/meta.pb-c.h"
#include "api/proto/policy.pb-c.h"
#include "api/proto/schemas.h"
#include "controlplane/apiserver/operations.h"
#include "controlplane/apiserver/write.h"

#define DISRUPTION_ALLOWED "DisruptionAllowed"
/* Until the disruption controller saw the budget. */
#define BUDGET_RETRY_S 10

/* Looking for the budget of a pod, a slice of the namespace's a turn; in the arena, and r->scope
 * while there is more to read. */
struct search {
    struct request *request;
    uint64_t pod_revision; /* a pod that changed is looked for anew */
    struct labels labels;
    struct str after;
    size_t found;
    struct stored stored; /* the first one's */
    struct str key;
    PodDisruptionBudget *budget;
    bool charged; /* it is to be */
};

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
    struct body_type type = body_type_of(kind_info(KIND_EVICTION));
    type.older = "policy/v1beta1"; /* of kubectl before 1.22 */
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

/* ---- the budget ---- */

/* A pod that does not run is in nobody's count. */
static bool is_counted(const Pod *pod)
{
    const char *phase = pod->status != NULL ? pod->status->phase : NULL;
    return pod->metadata->deletion_timestamp == NULL && !text_eq(phase, "Succeeded") &&
           !text_eq(phase, "Failed") && !text_eq(phase, "Pending");
}

static bool is_ready(const Pod *pod)
{
    return pod->status != NULL &&
           condition_is_true(pod->status->conditions, pod->status->n_conditions, "Ready");
}

static bool is_selected(const struct search *s, struct arena *a, const PodDisruptionBudget *b)
{
    struct selector selector;
    struct err e;
    return b->spec != NULL && b->spec->selector != NULL &&
           selector_from_struct(a, b->spec->selector, &selector, &e) == 0 &&
           selector_matches(&selector, &s->labels);
}

/* What does not unpack is our own bytes: never. */
static void look_at_budget(struct search *s, struct arena *scratch, const struct store_version *v)
{
    struct arena *a = &s->request->arena;
    struct str payload;
    struct err e;
    void *object = NULL;
    if (object_payload(v->value, &payload, &e) != 0 ||
        schema_unpack(scratch, &schema_PodDisruptionBudget, payload, &object, &e) != 0 ||
        !is_selected(s, scratch, object)) {
        return;
    }
    if (s->found++ == 0) {
        s->stored = (struct stored){ .revision = v->revision };
        s->key = str_copy(a, v->key);
        s->budget = schema_copy(a, &schema_PodDisruptionBudget, object);
    }
}

static bool visit_budget(void *ctx, const struct store_version *v)
{
    struct search *s = ctx;
    struct arena scratch;
    arena_init(&scratch);
    look_at_budget(s, &scratch, v);
    arena_deinit(&scratch);
    s->after = str_copy(&s->request->arena, v->key);
    return true;
}

/* 1: more follow. Each slice is of the newest revision: what is found is guarded by its own. */
static int find_budgets(struct search *s)
{
    struct request *r = s->request;
    struct store_read read;
    struct buf walked;
    struct err e;
    bool more = false;
    struct str prefix = key_prefix(&r->arena, KIND_DISRUPTION_BUDGET, r->route.ns);
    buf_init(&walked);
    r->looked = true;
    int rc = store_read_begin(r->server->config.group, 0, &read);
    if (rc == 0) {
        rc = store_read_scan(&read, prefix, s->after, visit_budget, s, &walked, &more);
        store_read_end(&read);
        if (walked.len > 0) {
            s->after = str_copy(&r->arena, buf_str(&walked));
        }
    }
    buf_deinit(&walked);
    if (rc != 0) {
        (void)err_set(&e, (enum err_code) - rc, "the budgets cannot be read: %s", err_name(rc));
        return status_from_err(&r->arena, &r->status, rc, &e);
    }
    return more ? 1 : 0;
}

static int refuse(struct request *r, int64_t retry_after_s, struct str why)
{
    struct err e;
    int rc = status_from_err(&r->arena, &r->status,
                             err_set(&e, ERR_TOO_MANY_REQUESTS,
                                     "Cannot evict pod as it would violate the pod's disruption "
                                     "budget."),
                             &e);
    const struct status_cause cause = { str_lit("DisruptionBudget"), why, str_lit("") };
    r->status.details = true;
    r->status.retry_after_s = retry_after_s;
    r->status.causes = arena_copy(&r->arena, &cause, sizeof(cause));
    r->status.causes_count = 1;
    return rc;
}

/* May a pod that is counted go? Upstream's words. */
static int ask_budget(struct request *r, const PodDisruptionBudget *b)
{
    const PodDisruptionBudgetStatus *s = b->status;
    const char *name = b->metadata->name;
    if (s == NULL || s->observed_generation < b->metadata->generation) {
        return refuse(r, BUDGET_RETRY_S,
                      str_printf(&r->arena,
                                 "The disruption budget %s is still being processed by the server.",
                                 name));
    }
    if (s->disruptions_allowed > 0) {
        return 0;
    }
    const Condition *c = condition_find(s->conditions, s->n_conditions, DISRUPTION_ALLOWED);
    if (c != NULL && text_eq(c->reason, "SyncFailed")) {
        return refuse(r, 0,
                      str_printf(&r->arena,
                                 "The disruption budget %s does not allow evicting pods currently "
                                 "because it failed sync: %s",
                                 name, text_of(c->message)));
    }
    return refuse(r, 0,
                  str_printf(&r->arena,
                             "The disruption budget %s needs %d healthy pods and has %d currently",
                             name, s->desired_healthy, s->current_healthy));
}

/* A pod that is not ready is not in the count of healthy ones: may it go without asking? */
static bool goes_unhealthy(const PodDisruptionBudget *b, const Pod *pod)
{
    const PodDisruptionBudgetStatus *s = b->status;
    if (is_ready(pod)) {
        return false;
    }
    return text_eq(b->spec->unhealthy_pod_eviction_policy, "AlwaysAllow") ||
           (s != NULL && s->desired_healthy > 0 && s->current_healthy >= s->desired_healthy);
}

/* One less may go: beside the pod's own removal, while the budget is what was looked at. */
static void charge(struct request *r, const struct search *s)
{
    const struct kind_info *kind = kind_info(KIND_DISRUPTION_BUDGET);
    PodDisruptionBudgetStatus *status = s->budget->status;
    status->has_disruptions_allowed = 1;
    status->disruptions_allowed--;
    if (status->disruptions_allowed == 0) {
        const struct condition_value none = { .type = DISRUPTION_ALLOWED,
                                              .status = "False",
                                              .reason = "InsufficientPods",
                                              .message = "",
                                              .generation = status->observed_generation };
        (void)condition_set(&r->arena, &condition__descriptor, &status->conditions,
                            &status->n_conditions, &none, request_now_ns(r));
    }
    const struct store_op op = { .type = STORE_OP_PUT,
                                 .key = s->key,
                                 .value = object_pack(r, kind, s->budget) };
    write_also(r, &op, s->stored.revision);
}

/* The search under way for this state of the pod, or a new one. */
static struct search *search_of(struct request *r, const Pod *pod, uint64_t revision)
{
    struct search *s = r->scope;
    if (s == NULL || s->pod_revision != revision) {
        s = arena_new(&r->arena, struct search);
        *s = (struct search){ .request = r, .pod_revision = revision };
    }
    s->labels = labels_of_entries(pod->metadata->labels, pod->metadata->n_labels);
    return s;
}

/* Of a pod that is counted, all budgets seen. */
static int check_found(struct search *s, const Pod *pod)
{
    struct request *r = s->request;
    struct err e;
    if (s->found == 0) {
        return 0;
    }
    if (s->found > 1) {
        (void)err_set(&e, ERR_INTERNAL,
                      "This pod has more than one PodDisruptionBudget, which the eviction "
                      "subresource does not support.");
        return status_from_err(&r->arena, &r->status, -ERR_INTERNAL, &e);
    }
    if (goes_unhealthy(s->budget, pod)) {
        return 0;
    }
    int rc = ask_budget(r, s->budget);
    s->charged = rc == 0;
    return rc;
}

/* 0: the pod may go; 1: to be asked again in the next turn; -ERR_X with r->status set. *out is the
 * search, if there was one; *out_revision the pod's when it was asked about, 0: there was none. */
static int check_budgets(struct request *r, struct search **out, uint64_t *out_revision)
{
    struct stored found;
    void *object = NULL;
    int rc = request_read(r, request_key(r, KIND_POD, r->route.ns, r->route.name), &found);
    if (rc == -ERR_NOT_FOUND) {
        return 0; /* delete_named says so, or finds its own earlier attempt */
    }
    *out_revision = rc == 0 ? found.revision : 0;
    rc = rc == 0 ? object_unpack(r, kind_info(KIND_POD), found.payload, &object) : rc;
    if (rc != 0 || !is_counted(object)) {
        return rc;
    }
    *out = search_of(r, object, found.revision);
    rc = find_budgets(*out);
    return rc == 0 ? check_found(*out, object) : rc;
}

/* The pod goes only as it was when it was asked about, and the budget that let it go only while it
 * is what it was: else the request runs again. */
static void bind_eviction(struct request *r, const struct search *s, uint64_t revision)
{
    if (revision != 0) {
        write_while(r, request_key(r, KIND_POD, r->route.ns, r->route.name), revision);
    }
    if (s != NULL && s->charged) {
        charge(r, s);
    } else if (s != NULL && s->found == 1) {
        write_while(r, s->key, s->stored.revision);
    }
}

static enum request_run evict_run(struct request *r)
{
    DeleteOptions *options = NULL;
    struct search *s = NULL;
    uint64_t revision = 0;
    if (read_eviction(r, &options) != 0) {
        return RUN_FAIL;
    }
    int rc = check_budgets(r, &s, &revision);
    r->scope = rc > 0 ? s : NULL; /* a run after this one begins anew */
    if (rc != 0) {
        return rc > 0 ? RUN_SUSPEND : RUN_FAIL;
    }
    if (s != NULL && !s->charged && !r->fresh) {
        return RUN_FAIL; /* no guard proves what the budgets say: a barrier, then once more */
    }
    enum request_run run = delete_named(r, 201, answer_evicted, options);
    if (run == RUN_COMMIT) {
        bind_eviction(r, s, revision);
    }
    return run;
}

const struct operation operation_evict = {
    .name = "evict",
    .body = true,
    .mode = READ_OPTIMISTIC,
    .allow = MEDIA_ALLOW_YAML | MEDIA_ALLOW_PROTOBUF,
    .run = evict_run,
    .committed = write_committed,
};
