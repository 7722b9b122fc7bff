/*
 * GET of one object: linearizable without a resourceVersion, local with 0, not older than N with N.
 *
 * Kubernetes can list at an exact revision but not get; ?gantryRevision=N is that: the object as it
 * was at N, of any revision that is still kept.
 */
#include "controlplane/apiserver/object.h"
#include "controlplane/apiserver/operations.h"

#define GET_REVISION "gantryRevision"

static int get_prepare(struct request *r)
{
    struct str rv = route_param(&r->route, "resourceVersion");
    struct str at = route_param(&r->route, GET_REVISION);
    uint64_t revision;
    if (at.data != NULL && (str_to_u64(at, &revision) != 0 || revision == 0 || rv.len > 0)) {
        return status_bad_request(
            &r->status, str_lit(GET_REVISION ": a revision is needed, and no resourceVersion"));
    }
    if (rv.len == 0) {
        return 0;
    }
    if (str_to_u64(rv, &r->revision) != 0) {
        return status_bad_request(
            &r->status, str_printf(&r->arena, "invalid resource version \"%.*s\"", STR_ARG(rv)));
    }
    r->mode = r->revision == 0 ? READ_LOCAL : READ_AT_LEAST;
    return 0;
}

static enum request_run get_run(struct request *r)
{
    struct stored found;
    struct str key = request_key(r, r->kind->kind, r->route.ns, r->route.name);
    struct str at = route_param(&r->route, GET_REVISION);
    uint64_t revision;
    bool past = str_to_u64(at, &revision) == 0; /* prepare has looked at it */
    int rc = past ? request_read_at(r, key, revision, &found) : request_read(r, key, &found);
    if (rc == -ERR_NOT_FOUND) {
        (void)status_not_found(&r->arena, &r->status, r->kind, r->route.name);
        if (past) {
            r->status.message =
                str_printf(&r->arena, "%.*s at revision %llu", STR_ARG(r->status.message),
                           (unsigned long long)revision);
        }
    }
    if (rc != 0) {
        return RUN_FAIL;
    }
    return object_answer(r, 200, r->kind, found.payload, found.revision);
}

const struct operation operation_get = {
    .name = "get",
    .mode = READ_FRESH,
    .allow = MEDIA_ALLOW_OBJECTS,
    .prepare = get_prepare,
    .run = get_run,
};
