/* Any bytes, taken for a stored core/v1 Event and for an events.k8s.io/v1 one: what unpacks as the
 * one is, renumbered, the other, and comes back as it was. */
#include "api/meta/view.h"
#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "base/arena.h"
#include "base/assert.h"
#include "base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Larger inputs only cost time. */
#define INPUT_BYTES_MAX (64u << 10)

typedef struct str view_fn(struct arena *a, enum kind kind, struct str payload);

static struct str packed_as(struct arena *a, const struct schema *s, struct str bytes)
{
    struct err e = { 0 };
    void *object = NULL;
    int rc = schema_unpack(a, s, bytes, &object, &e);
    ASSERT(rc == 0);
    return schema_pack_arena(a, s, object);
}

static void there_and_back(struct arena *a, const struct schema *from, const struct schema *to,
                           struct str bytes, view_fn *there, view_fn *back)
{
    struct err e = { 0 };
    void *object = NULL;
    (void)back(a, KIND_EVENTS_EVENT, there(a, KIND_EVENTS_EVENT, bytes)); /* whatever it holds */
    if (schema_unpack(a, from, bytes, &object, &e) != 0)
        return;
    struct str packed = schema_pack_arena(a, from, object);
    struct str seen = packed_as(a, to, there(a, KIND_EVENTS_EVENT, packed));
    ASSERT(str_eq(packed_as(a, from, back(a, KIND_EVENTS_EVENT, seen)), packed));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct arena a;
    struct str bytes = str_of(data, len);
    if (len > INPUT_BYTES_MAX)
        return 0;
    arena_init(&a);
    there_and_back(&a, &schema_Event, &schema_EventsEvent, bytes, view_of_stored, view_to_stored);
    there_and_back(&a, &schema_EventsEvent, &schema_Event, bytes, view_to_stored, view_of_stored);
    ASSERT(view_of_stored(&a, KIND_POD, bytes).data == bytes.data);
    arena_deinit(&a);
    return 0;
}
