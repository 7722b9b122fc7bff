/* Any continue token: refused, or one that encodes to a token of the same meaning. */
#include "base/arena.h"
#include "base/assert.h"
#include "controlplane/apiserver/list_options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct arena a;
    struct err e = { 0 };
    struct list_place place;
    struct list_place again;
    arena_init(&a);
    if (continue_decode(&a, str_of(data, len), &place, &e) == 0) {
        ASSERT(place.revision != 0 && place.left >= -1);
        ASSERT(place.after.len > 0);
        struct str token = continue_encode(&a, &place);
        int rc = continue_decode(&a, token, &again, &e);
        ASSERT(rc == 0 || token.len > len); /* escapes may grow it over the limit */
        ASSERT(rc != 0 || (place.revision == again.revision && place.left == again.left &&
                           str_eq(place.after, again.after)));
    }
    arena_deinit(&a);
    return 0;
}
