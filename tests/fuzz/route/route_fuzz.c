/* Any method, target and Accept header: a route or a refusal, and every result lies inside bounds;
 * what parsed as a resource names one. */
#include "base/arena.h"
#include "base/assert.h"
#include "controlplane/apiserver/media.h"
#include "controlplane/apiserver/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct arena a;
    struct route r;
    struct media m;
    enum media_type type;
    enum patch_type patch;
    struct err e = { 0 };
    int64_t number = 0;
    struct str rest = str_of(data, len);
    struct str line;
    struct str method;
    arena_init(&a);
    if (str_split(&rest, '\n', &line) && str_split(&line, ' ', &method) && line.data != NULL &&
        route_parse(&a, method, line, &r, &e) == 0) {
        ASSERT(!r.resource || (r.plural.len > 0 && r.version.len > 0));
        ASSERT(r.params_count <= ROUTE_COMMAND_PARAMS_MAX);
        ASSERT(r.verb < VERB_COUNT);
        (void)route_param_bool(&r, "watch");
        (void)route_param_i64(&r, "limit", &number, &e); /* refusing is as good */
    }
    struct str accept = rest.data == NULL ? str_lit("") : rest;
    if (media_accept(accept, MEDIA_ALLOW_OBJECTS, &m, &e) == 0) {
        ASSERT(m.type < MEDIA_TYPES);
        ASSERT(m.transform != TRANSFORM_TABLE || m.type != MEDIA_PROTOBUF);
    }
    (void)media_content(accept, &type, &e);
    (void)media_patch(accept, &patch, &e);
    arena_deinit(&a);
    return 0;
}
