/*
 * A server verified by the hash of its CA's key alone: what a machine that joins a cluster has.
 *
 * The chain that the server shows must hold a CA certificate with the pinned key, above the leaf;
 * the leaf is then verified as ever (signatures, dates, purpose, name) with that certificate as the
 * only root. So who does not have the CA's key cannot make a leaf, whatever else is in the chain.
 */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "net/tls_internal.h"

static bool is_pinned(const struct tls_context *c, X509 *x)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned char *der = NULL;
    unsigned hash_len = 0;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
    bool same = len > 0 && EVP_Digest(der, (size_t)len, hash, &hash_len, EVP_sha256(), NULL) == 1 &&
                hash_len == sizeof(c->pin) && CRYPTO_memcmp(hash, c->pin, sizeof(c->pin)) == 0;
    OPENSSL_free(der);
    return same && X509_check_ca(x) == 1;
}

/* The first one is the leaf. */
static X509 *find_root(const struct tls_context *c, STACK_OF(X509) * chain)
{
    int count = chain != NULL ? sk_X509_num(chain) : 0;
    for (int i = 1; i < count && i <= TLS_CHAIN_DEPTH_MAX; i++) {
        if (is_pinned(c, sk_X509_value(chain, i)))
            return sk_X509_value(chain, i);
    }
    return NULL;
}

int tls_pin_verify(X509_STORE_CTX *store, void *context)
{
    const struct tls_context *c = context;
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_untrusted(store);
    X509 *root = find_root(c, chain);
    STACK_OF(X509) * roots;
    if (root == NULL) {
        X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_UNTRUSTED);
        return 0;
    }
    roots = sk_X509_new_null();
    if (roots == NULL || sk_X509_push(roots, root) == 0) {
        sk_X509_free(roots);
        X509_STORE_CTX_set_error(store, X509_V_ERR_OUT_OF_MEM);
        return 0;
    }
    X509_STORE_CTX_set0_trusted_stack(store, roots);
    int ok = X509_verify_cert(store);
    X509_STORE_CTX_set0_trusted_stack(store, NULL);
    sk_X509_free(roots);
    return ok == 1 ? 1 : 0;
}
