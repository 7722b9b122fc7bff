/* Strategic merges of pods. */
#include "api/proto/schemas.h"
#include "tests/fuzz/patch_pair/patch_pair.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int patch_pod(struct arena *a, const struct json *object, const struct json *patch,
                     const struct json **out, struct err *e)
{
    return patch_strategic(a, &schema_Pod, object, patch, out, e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    patch_pair(data, len, patch_pod);
    return 0;
}
