/* What a request's headers and query say to every operation alike. */
#include <string.h>

#include "api/schema/scalar.h"
#include "controlplane/apiserver/request.h"
#include "controlplane/apiserver/table.h"

int request_read_headers(struct request *r)
{
    const struct http_headers *h = &r->x->headers;
    struct str id = http_headers_get(h, "gantry-request-id");
    struct str fence = http_headers_get(h, "gantry-fence-term");
    if (id.len > REQUEST_ID_BYTES_MAX) {
        return status_bad_request(&r->status,
                                  str_lit("Gantry-Request-Id: must be at most 64 bytes"));
    }
    if (fence.len > 0 && str_to_u64(fence, &r->fence_term) != 0) {
        return status_bad_request(&r->status, str_lit("Gantry-Fence-Term: not a number"));
    }
    r->request_id_sent = id.len > 0;
    if (r->request_id_sent) {
        r->request_id = str_copy(&r->arena, id);
    } else {
        uint8_t random[16];
        env_random(r->server->config.env, random, sizeof(random));
        r->request_id = str_hex(&r->arena, str_of(random, sizeof(random)));
    }
    r->takes_gzip = media_takes_gzip(http_headers_get(h, "accept-encoding"));
    r->user_agent = str_copy(&r->arena, http_headers_get(h, "user-agent"));
    return 0;
}

static int refuse_partial(struct request *r, const char *asked, const char *is, const char *kind)
{
    struct err e;
    const char *group = r->kind->group[0] == '\0' ? "core" : r->kind->group;
    (void)err_set(&e, ERR_NOT_ACCEPTABLE,
                  "you requested %s, but the requested object is %s (*%.*s.%s)", asked, is,
                  (int)strcspn(group, "."), group, kind);
    return status_from_err(&r->arena, &r->status, -ERR_NOT_ACCEPTABLE, &e);
}

/* Whether what is asked to be made of the answer can be made of it. A watch takes either partial
 * form. */
static int check_transform(struct request *r)
{
    struct err e;
    int include;
    bool list = r->route.verb == VERB_LIST || r->route.verb == VERB_DELETECOLLECTION;
    if (r->media.transform == TRANSFORM_PARTIAL && list && r->kind != NULL) {
        return refuse_partial(r, "PartialObjectMetadata", "a list", r->kind->list_name);
    }
    if (r->media.transform == TRANSFORM_PARTIAL_LIST && !list && r->route.verb != VERB_WATCH &&
        r->kind != NULL) {
        return refuse_partial(r, "PartialObjectMetadataList", "not a list", r->kind->name);
    }
    if (r->media.transform == TRANSFORM_PARTIAL_LIST) {
        r->media.transform = TRANSFORM_PARTIAL; /* a list's items */
    }
    if (r->media.transform == TRANSFORM_TABLE &&
        table_include_parse(route_param(&r->route, "includeObject"), &include, &e) != 0) {
        return status_from_err(&r->arena, &r->status, -ERR_INVALID_ARGUMENT, &e);
    }
    return 0;
}

/* What the client means to wait (kubectl's --request-timeout) is all that a body may take. */
static int read_timeout(struct request *r)
{
    struct str text = route_param(&r->route, "timeout");
    int64_t nanos = 0;
    struct err e;
    r->body_ms = APISERVER_REQUEST_MS;
    if (text.len == 0 || r->operation->long_running) {
        return 0;
    }
    if (scalar_duration_parse(text, &nanos, &e) != 0) {
        return status_bad_request(
            &r->status, str_printf(&r->arena,
                                   "invalid timeout specified in the request URL - time: invalid "
                                   "duration \"%.*s\"",
                                   STR_ARG(text)));
    }
    uint64_t asked_ms = nanos > 0 ? (uint64_t)nanos / ENV_MS : 0;
    r->body_ms = asked_ms > 0 && asked_ms < r->body_ms ? asked_ms : r->body_ms;
    return 0;
}

int request_check_options(struct request *r)
{
    int rc = check_transform(r);
    return rc != 0 ? rc : read_timeout(r);
}
