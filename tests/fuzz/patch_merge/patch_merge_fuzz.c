/* RFC 7396 merges. */
#include "tests/fuzz/patch_pair/patch_pair.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    patch_pair(data, len, patch_merge);
    return 0;
}
