/* EVP calls: they fail only for lack of memory or of the algorithm, and both abort. */
#include "net/digest.h"

#include <openssl/evp.h>

#include "base/arena.h"
#include "base/assert.h"

struct digest {
    EVP_MD_CTX *sum;
    EVP_MD_CTX *scratch; /* a sum is finished in a copy, so that it can go on */
};

void digest_sha256(struct str bytes, uint8_t out[DIGEST_SHA256_BYTES])
{
    unsigned len = 0;
    int ok = EVP_Digest(bytes.len > 0 ? bytes.data : "", bytes.len, out, &len, EVP_sha256(), NULL);
    ASSERT(ok == 1);
    ASSERT(len == DIGEST_SHA256_BYTES);
}

struct digest *digest_new(void)
{
    struct digest *d = mem_alloc(sizeof *d);
    d->sum = EVP_MD_CTX_new();
    d->scratch = EVP_MD_CTX_new();
    ASSERT(d->sum != NULL && d->scratch != NULL);
    int ok = EVP_DigestInit_ex(d->sum, EVP_sha256(), NULL);
    ASSERT(ok == 1);
    return d;
}

void digest_add(struct digest *d, struct str bytes)
{
    int ok = EVP_DigestUpdate(d->sum, bytes.data, bytes.len);
    ASSERT(ok == 1);
}

void digest_get(struct digest *d, uint8_t out[DIGEST_SHA256_BYTES])
{
    unsigned len = 0;
    int ok = EVP_MD_CTX_copy_ex(d->scratch, d->sum);
    ASSERT(ok == 1);
    ok = EVP_DigestFinal_ex(d->scratch, out, &len);
    ASSERT(ok == 1);
    ASSERT(len == DIGEST_SHA256_BYTES);
}

void digest_free(struct digest *d)
{
    if (d == NULL)
        return;
    EVP_MD_CTX_free(d->sum);
    EVP_MD_CTX_free(d->scratch);
    mem_free(d);
}
