/*
 * A small certificate authority: what `gantryd init` and tests need, and reading a certificate for
 * a listing. Keys are EC P-256, signatures ECDSA with SHA-256, everything is PEM text in an arena.
 * Synchronous and CPU bound (about a millisecond): at start or on a pool thread.
 */
#ifndef NET_PKI_H
#define NET_PKI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct pki_pair {
    struct str certificate_pem;
    struct str key_pem;
};

/* now: seconds since 1970, from env_wall_ns (base's rule: no clock here). */
struct pki_request {
    struct str common_name;
    const struct str *organizations; /* O, one per entry: Kubernetes reads them as groups */
    size_t organization_count;
    const struct str *dns_names;
    size_t dns_name_count;
    const struct str *addresses; /* numeric IPv4 or IPv6 text */
    size_t address_count;
    bool server; /* extendedKeyUsage serverAuth */
    bool client; /* clientAuth */
    uint64_t now_s;
    uint32_t days; /* not after = now + days; not before = now - 5 minutes */
};

/* A self-signed CA (path length 0). */
int pki_make_ca(struct arena *a, struct str common_name, uint64_t now_s, uint32_t days,
                struct pki_pair *out, struct err *e);
/* Issues a certificate with a fresh key. */
int pki_issue(struct arena *a, const struct pki_pair *ca, const struct pki_request *request,
              struct pki_pair *out, struct err *e);
/* A fresh P-256 key pair (service account signing): SEC1 private, SubjectPublicKeyInfo public. */
int pki_make_key(struct arena *a, struct str *out_private_pem, struct str *out_public_pem,
                 struct err *e);

struct pki_info {
    struct str common_name;
    struct str *organizations;
    size_t organization_count;
    struct str *names; /* DNS names and addresses, as text */
    size_t name_count;
    struct str issuer_common_name;
    struct str serial; /* hex */
    uint64_t not_before_s;
    uint64_t not_after_s;
    bool is_ca;
};

/*
 * A certificate for a key that its owner never shows: a signing request (PKCS#10) and what the CA
 * makes of it. The CA reads nothing of the request but the public key, whose owner has signed it;
 * names come from who signs. EC keys on P-256, P-384 or P-521 only.
 */
#define PKI_CSR_BYTES_MAX 4096
int pki_make_csr(struct arena *a, struct str common_name, struct str *out_key_pem,
                 struct str *out_csr_pem, struct err *e);
/* -ERR_PARSE: not a request; -ERR_INVALID_ARGUMENT: a weak key or a bad signature. */
int pki_sign_csr(struct arena *a, const struct pki_pair *ca, struct str csr_pem,
                 const struct pki_request *request, struct str *out_certificate_pem, struct err *e);

/* SHA-256 of the certificate's SubjectPublicKeyInfo: what a CA is known by (tls.h: ca_sha256). */
#define PKI_SHA256_BYTES 32
int pki_key_sha256(struct str certificate_pem, uint8_t out[PKI_SHA256_BYTES], struct err *e);

/* The first certificate of the PEM text. -ERR_PARSE. */
int pki_parse(struct arena *a, struct str certificate_pem, struct pki_info *out, struct err *e);

#endif
