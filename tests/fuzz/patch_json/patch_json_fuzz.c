/* RFC 6902 patches: the operations apply or are refused. */
#include "tests/fuzz/patch_pair/patch_pair.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    patch_pair(data, len, patch_json);
    return 0;
}
