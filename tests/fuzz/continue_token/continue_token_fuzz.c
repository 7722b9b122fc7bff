/* Any continue token: refused, or one that encodes to a token of the same meaning. */
#include "base/arena.h"
#include "base/assert.h"
#include "controlplane/apiserver/list_options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct arena a;
    struct err e = { 0 };
    int64_t revision = 0;
    int64_t revision_again = 0;
    struct str after;
    struct str after_again;
    arena_init(&a);
    if (continue_decode(&a, str_of(data, len), &revision, &after, &e) == 0) {
        ASSERT(revision == -1 || revision > 0);
        ASSERT(after.len > 0);
        struct str token = continue_encode(&a, revision, after);
        int rc = continue_decode(&a, token, &revision_again, &after_again, &e);
        ASSERT(rc == 0 || token.len > len); /* escapes may grow it over the limit */
        ASSERT(rc != 0 || (revision == revision_again && str_eq(after, after_again)));
    }
    arena_deinit(&a);
    return 0;
}
