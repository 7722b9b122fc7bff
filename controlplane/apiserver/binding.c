/* pods/NAME/binding: puts a pod on a node. The write is guarded by the pod's revision, so two
 * schedulers cannot both bind it. */
#include <stdlib.h>

#include "api/meta/condition.h"
#include "api/proto/core.pb-c.h"
#include "api/proto/meta.pb-c.h"
#include "api/proto/schemas.h"
#include "controlplane/apiserver/admission/admission.h"
#include "controlplane/apiserver/operations.h"
#include "controlplane/apiserver/write.h"

static int conflict(struct request *r, struct str name, struct str text)
{
    return status_conflict(&r->arena, &r->status, kind_info(KIND_POD), name, text);
}

/* What forbids the binding now. */
static int check_pod(struct request *r, const Pod *pod, const Binding *b, struct str name)
{
    struct str uid = write_text(b->metadata == NULL ? NULL : b->metadata->uid);
    struct str node = write_text(pod->spec->node_name);
    if (uid.len > 0 && !str_eq(uid, write_text(pod->metadata->uid))) {
        return conflict(r, name,
                        str_printf(&r->arena,
                                   "Precondition failed: UID in precondition: %.*s, UID in object "
                                   "meta: %s",
                                   STR_ARG(uid), write_text(pod->metadata->uid).data));
    }
    if (pod->metadata->deletion_timestamp != NULL) {
        return conflict(r, name,
                        str_printf(&r->arena,
                                   "pod %.*s is being deleted, cannot be assigned to a host",
                                   STR_ARG(name)));
    }
    if (node.len > 0) {
        return conflict(r, name,
                        str_printf(&r->arena, "pod %.*s is already assigned to node \"%.*s\"",
                                   STR_ARG(name), STR_ARG(node)));
    }
    if (pod->spec->n_scheduling_gates > 0) {
        return conflict(
            r, name,
            str_printf(&r->arena, "pod %.*s has non-empty .spec.schedulingGates", STR_ARG(name)));
    }
    return 0;
}

static int check_binding(struct request *r, const Binding *b, struct str name)
{
    const struct status_cause required = { .reason = str_lit("FieldValueRequired"),
                                           .message = str_lit("Required value"),
                                           .field = str_lit("target.name") };
    struct str kind = write_text(b->target == NULL ? NULL : b->target->kind);
    struct str own = write_text(b->metadata == NULL ? NULL : b->metadata->name);
    if (r->route.sub.len > 0 && own.len > 0 && !str_eq(own, name)) {
        return status_bad_request(&r->status,
                                  str_lit("name in URL does not match name in Binding object"));
    }
    if (b->target == NULL || write_text(b->target->name).len == 0) {
        return status_invalid_field(&r->arena, &r->status, str_lit("Binding"), str_lit("Binding"),
                                    str_lit(""), name, &required);
    }
    if (kind.len > 0 && !str_eq_c(kind, "Node")) {
        const struct status_cause unsupported = {
            .reason = str_lit("FieldValueNotSupported"),
            .message = str_printf(&r->arena,
                                  "Unsupported value: \"%.*s\": supported values: \"Node\", "
                                  "\"<empty>\"",
                                  STR_ARG(kind)),
            .field = str_lit("target.kind"),
        };
        return status_invalid_field(&r->arena, &r->status, str_lit("Binding"), str_lit("Binding"),
                                    str_lit(""), name, &unsupported);
    }
    return 0;
}

struct slot {
    void *entry; /* of a map of text */
    struct str key;
    size_t at;
};

static int slot_cmp(const void *x, const void *y)
{
    const struct slot *a = x;
    const struct slot *b = y;
    int order = str_cmp(a->key, b->key);
    return order != 0 ? order : (a->at > b->at) - (a->at < b->at);
}

/* Sorted once: a body may carry thousands. Of entries with one key the last stays. Returns how many
 * are left. */
static size_t merge_slots(struct slot *slots, size_t count)
{
    size_t kept = 0;
    qsort(slots, count, sizeof(*slots), slot_cmp);
    for (size_t i = 0; i < count; i++) {
        if (i + 1 == count || !str_eq(slots[i].key, slots[i + 1].key)) {
            slots[kept++] = slots[i];
        }
    }
    return kept;
}

/* Annotations of the binding come to the pod's. */
static void merge_annotations(struct request *r, ObjectMeta *to, const ObjectMeta *from)
{
    size_t most = to->n_annotations + (from == NULL ? 0 : from->n_annotations);
    if (from == NULL || from->n_annotations == 0) {
        return;
    }
    struct slot *slots = arena_array(&r->arena, most, sizeof(*slots));
    for (size_t i = 0; i < most; i++) {
        ObjectMeta__AnnotationsEntry *entry =
            i < to->n_annotations ? to->annotations[i] : from->annotations[i - to->n_annotations];
        slots[i] = (struct slot){ .entry = entry, .key = write_text(entry->key), .at = i };
    }
    to->n_annotations = merge_slots(slots, most);
    to->annotations = arena_array(&r->arena, to->n_annotations, sizeof(*to->annotations));
    for (size_t i = 0; i < to->n_annotations; i++) {
        to->annotations[i] = slots[i].entry;
    }
}

static void add_labels(struct request *r, ObjectMeta *to, const ObjectMeta *from)
{
    size_t most = to->n_labels + (from == NULL ? 0 : from->n_labels);
    if (from == NULL || from->n_labels == 0) {
        return;
    }
    struct slot *slots = arena_array(&r->arena, most, sizeof(*slots));
    for (size_t i = 0; i < most; i++) {
        ObjectMeta__LabelsEntry *entry =
            i < to->n_labels ? to->labels[i] : from->labels[i - to->n_labels];
        slots[i] = (struct slot){ .entry = entry, .key = write_text(entry->key), .at = i };
    }
    to->n_labels = merge_slots(slots, most);
    to->labels = arena_array(&r->arena, to->n_labels, sizeof(*to->labels));
    for (size_t i = 0; i < to->n_labels; i++) {
        to->labels[i] = slots[i].entry;
    }
}

/* Labels of the binding come to the pod's, and where the node is goes before what the pod says. */
static void merge_labels(struct request *r, ObjectMeta *to, const Binding *b)
{
    struct stored node;
    struct str key = request_key(r, KIND_NODE, str_lit(""), write_text(b->target->name));
    if (request_read(r, key, &node) == 0) {
        topology_labels_put(&r->arena, node.payload, to, true);
    }
    add_labels(r, to, b->metadata);
}

static void bind(struct request *r, Pod *pod, const Binding *b)
{
    const struct condition_value scheduled = { .type = "PodScheduled", .status = "True" };
    pod->spec->node_name = b->target->name;
    merge_annotations(r, pod->metadata, b->metadata);
    merge_labels(r, pod->metadata, b);
    if (pod->status == NULL) {
        pod->status = schema_new(&r->arena, &schema_PodStatus);
    }
    (void)condition_set(&r->arena, &pod_condition__descriptor, &pod->status->conditions,
                        &pod->status->n_conditions, &scheduled, request_now_ns(r));
}

static enum request_run answer_created(struct request *r, struct str payload)
{
    (void)payload;
    status_success(&r->status, r->kind, str_lit(""), str_lit(""));
    r->status.code = 201;
    return request_answer_status(r);
}

static enum request_run bind_run(struct request *r)
{
    const struct body_type type = body_type_of(kind_info(KIND_BINDING));
    const struct kind_info *pods = kind_info(KIND_POD);
    struct stored found;
    struct stored replay;
    void *object = NULL;
    void *old = NULL;
    if (write_check_options(r, "CreateOptions") != 0 ||
        object_decode_body(r, &type, &object) != 0) {
        return RUN_FAIL;
    }
    const Binding *b = object;
    struct str name = r->route.name.len > 0
                          ? r->route.name
                          : write_text(b->metadata == NULL ? NULL : b->metadata->name);
    if (check_binding(r, b, name) != 0) {
        return RUN_FAIL;
    }
    struct write w = { .kind = pods, .old = &found, .answer = answer_created };
    w.key = request_key(r, KIND_POD, r->route.ns, name);
    int rc = request_read(r, w.key, &found);
    if (rc == -ERR_NOT_FOUND) {
        (void)status_not_found(&r->arena, &r->status, pods, name);
    }
    rc = rc == 0 ? object_unpack(r, pods, found.payload, &old) : rc;
    if (rc != 0) {
        return RUN_FAIL;
    }
    if (request_find_replay(r, w.key, &found, &replay)) {
        return answer_created(r, found.payload);
    }
    if (check_pod(r, old, b, name) != 0) {
        return RUN_FAIL;
    }
    w.object = schema_copy(&r->arena, kind_info(KIND_POD)->schema, old);
    bind(r, w.object, b);
    return write_object(r, &w);
}

const struct operation operation_bind = {
    .name = "bind",
    .body = true,
    .mode = READ_OPTIMISTIC,
    .allow = MEDIA_ALLOW_YAML | MEDIA_ALLOW_PROTOBUF,
    .run = bind_run,
    .committed = write_committed,
};
