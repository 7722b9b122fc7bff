/* The one-shot EVP call: it fails only for lack of memory or of the algorithm, and both abort. */
#include "net/digest.h"

#include <openssl/evp.h>

#include "base/assert.h"

void digest_sha256(struct str bytes, uint8_t out[DIGEST_SHA256_BYTES])
{
    unsigned len = 0;
    int ok = EVP_Digest(bytes.len > 0 ? bytes.data : "", bytes.len, out, &len, EVP_sha256(), NULL);
    ASSERT(ok == 1);
    ASSERT(len == DIGEST_SHA256_BYTES);
}
