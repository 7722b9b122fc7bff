/* Keys and certificates (OpenSSL), for `gantryd init`, tests and listings. */
#include "net/pki.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"

#define BACKDATE_S   300 /* clocks differ between machines */
#define SERIAL_BYTES 16
#define NAMES_MAX    256

static int fail(struct err *e, enum err_code code, const char *what)
{
    char text[200] = "unknown";
    unsigned long number = ERR_peek_last_error();
    if (number != 0)
        ERR_error_string_n(number, text, sizeof(text));
    ERR_clear_error();
    return err_set(e, code, "%s: %s", what, text);
}

/* Copies what a memory BIO holds, and frees it. */
static struct str take_pem(struct arena *a, BIO *bio)
{
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);
    struct str pem = str_copy(a, str_of(data, len > 0 ? (size_t)len : 0));
    BIO_free(bio);
    return pem;
}

static struct str certificate_pem(struct arena *a, X509 *x)
{
    BIO *bio = BIO_new(BIO_s_mem());
    int rc = PEM_write_bio_X509(bio, x);
    ASSERT(rc == 1);
    return take_pem(a, bio);
}

/* "EC PRIVATE KEY" (SEC1), as kubeadm writes such keys: a client that must be told a key's
 * algorithm (fabric8's for Java) takes it from that line of a kubeconfig, and RSA when it does not
 * say. */
static struct str key_pem(struct arena *a, EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    int rc = PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0, NULL, NULL);
    ASSERT(rc == 1);
    return take_pem(a, bio);
}

static X509 *read_certificate(struct str pem)
{
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return x;
}

static EVP_PKEY *read_key(struct str pem)
{
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return key;
}

static bool add_name(X509_NAME *name, const char *field, struct str value)
{
    return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)value.data,
                                      (int)value.len, -1, 0) == 1;
}

static bool add_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    if (extension == NULL)
        return false;
    bool ok = X509_add_ext(x, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return ok;
}

static bool add_alternative(GENERAL_NAMES *names, int type, ASN1_STRING *value)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    if (name == NULL || value == NULL || sk_GENERAL_NAME_push(names, name) == 0) {
        GENERAL_NAME_free(name);
        ASN1_STRING_free(value);
        return false;
    }
    GENERAL_NAME_set0_value(name, type, value);
    return true;
}

/* Built name by name, not from a text: a name can then not smuggle in another. */
static int add_alternatives(X509 *x, const struct pki_request *r, struct err *e)
{
    if (r->dns_name_count + r->address_count == 0)
        return 0;
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
    bool ok = true;
    for (size_t i = 0; ok && i < r->dns_name_count; i++) {
        ASN1_STRING *value = ASN1_STRING_type_new(V_ASN1_IA5STRING);
        ok = r->dns_names[i].len > 0 &&
             ASN1_STRING_set(value, r->dns_names[i].data, (int)r->dns_names[i].len) == 1;
        ok = add_alternative(names, GEN_DNS, value) && ok;
    }
    for (size_t i = 0; ok && i < r->address_count; i++) {
        char text[64];
        ok = r->addresses[i].len < sizeof(text);
        if (!ok)
            break;
        memcpy(text, r->addresses[i].data, r->addresses[i].len);
        text[r->addresses[i].len] = '\0';
        ok = add_alternative(names, GEN_IPADD, a2i_IPADDRESS(text));
    }
    ok = ok && X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1;
    GENERAL_NAMES_free(names);
    return ok ? 0 : fail(e, ERR_INVALID_ARGUMENT, "subject alternative names");
}

static X509 *start_certificate(EVP_PKEY *key, uint64_t now_s, uint32_t days)
{
    X509 *x = X509_new();
    unsigned char serial[SERIAL_BYTES];
    ASSERT(x != NULL);
    int rc = RAND_bytes(serial, sizeof(serial));
    ASSERT(rc == 1);
    serial[0] &= 0x7f; /* positive */
    serial[0] |= 0x01; /* and never short */
    BIGNUM *number = BN_bin2bn(serial, sizeof(serial), NULL);
    (void)BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x)); /* fails only without memory */
    BN_free(number);
    X509_set_version(x, X509_VERSION_3);
    time_t not_before = (time_t)now_s - BACKDATE_S;
    time_t not_after = (time_t)now_s + (time_t)days * 86400;
    (void)X509_time_adj_ex(X509_getm_notBefore(x), 0, 0, &not_before); /* as above */
    (void)X509_time_adj_ex(X509_getm_notAfter(x), 0, 0, &not_after);
    X509_set_pubkey(x, key);
    return x;
}

int pki_make_ca(struct arena *a, struct str common_name, uint64_t now_s, uint32_t days,
                struct pki_pair *out, struct err *e)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    if (key == NULL)
        return fail(e, ERR_INTERNAL, "make a key");
    X509 *x = start_certificate(key, now_s, days);
    X509_NAME *name = X509_get_subject_name(x);
    bool ok = add_name(name, "CN", common_name) && X509_set_issuer_name(x, name) == 1 &&
              add_extension(x, x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
              add_extension(x, x, NID_key_usage, "critical,keyCertSign,cRLSign,digitalSignature") &&
              add_extension(x, x, NID_subject_key_identifier, "hash") &&
              X509_sign(x, key, EVP_sha256()) > 0;
    if (ok)
        *out = (struct pki_pair){ certificate_pem(a, x), key_pem(a, key) };
    X509_free(x);
    EVP_PKEY_free(key);
    return ok ? 0 : fail(e, ERR_INVALID_ARGUMENT, "make a CA certificate");
}

static int fill_leaf(X509 *x, X509 *ca, const struct pki_request *r, struct err *e)
{
    X509_NAME *name = X509_get_subject_name(x);
    bool ok = true;
    for (size_t i = 0; i < r->organization_count; i++)
        ok = ok && add_name(name, "O", r->organizations[i]);
    ok = ok && add_name(name, "CN", r->common_name);
    ok = ok && X509_set_issuer_name(x, X509_get_subject_name(ca)) == 1;
    const char *usage = r->server && r->client ? "serverAuth,clientAuth"
                        : r->server            ? "serverAuth"
                                               : "clientAuth";
    ok = ok && add_extension(x, ca, NID_basic_constraints, "critical,CA:FALSE") &&
         add_extension(x, ca, NID_key_usage, "critical,digitalSignature") &&
         add_extension(x, ca, NID_subject_key_identifier, "hash") &&
         add_extension(x, ca, NID_authority_key_identifier, "keyid");
    if (r->server || r->client)
        ok = ok && add_extension(x, ca, NID_ext_key_usage, usage);
    if (!ok)
        return fail(e, ERR_INVALID_ARGUMENT, "certificate");
    return add_alternatives(x, r, e);
}

int pki_issue(struct arena *a, const struct pki_pair *ca, const struct pki_request *request,
              struct pki_pair *out, struct err *e)
{
    X509 *ca_x = read_certificate(ca->certificate_pem);
    EVP_PKEY *ca_key = read_key(ca->key_pem);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = NULL;
    int rc = 0;
    if (ca_x == NULL || ca_key == NULL || key == NULL) {
        rc = fail(e, ERR_PARSE, "CA certificate and key");
        goto out;
    }
    x = start_certificate(key, request->now_s, request->days);
    rc = fill_leaf(x, ca_x, request, e);
    if (rc == 0 && X509_sign(x, ca_key, EVP_sha256()) <= 0)
        rc = fail(e, ERR_INTERNAL, "sign");
    if (rc == 0)
        *out = (struct pki_pair){ certificate_pem(a, x), key_pem(a, key) };
out:
    X509_free(x);
    X509_free(ca_x);
    EVP_PKEY_free(key);
    EVP_PKEY_free(ca_key);
    return rc;
}

int pki_make_csr(struct arena *a, struct str common_name, struct str *out_key_pem,
                 struct str *out_csr_pem, struct err *e)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509_REQ *r = X509_REQ_new();
    ASSERT(r != NULL);
    bool ok = key != NULL && X509_REQ_set_version(r, X509_REQ_VERSION_1) == 1 &&
              add_name(X509_REQ_get_subject_name(r), "CN", common_name) &&
              X509_REQ_set_pubkey(r, key) == 1 && X509_REQ_sign(r, key, EVP_sha256()) > 0;
    if (ok) {
        BIO *bio = BIO_new(BIO_s_mem());
        int rc = PEM_write_bio_X509_REQ(bio, r);
        ASSERT(rc == 1);
        *out_csr_pem = take_pem(a, bio);
        *out_key_pem = key_pem(a, key);
    }
    X509_REQ_free(r);
    EVP_PKEY_free(key);
    return ok ? 0 : fail(e, ERR_INTERNAL, "make a signing request");
}

static bool is_strong(EVP_PKEY *key)
{
    static const char *const curves[] = { "prime256v1", "secp384r1", "secp521r1" };
    char name[32];
    size_t len = 0;
    if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC ||
        EVP_PKEY_get_group_name(key, name, sizeof(name), &len) != 1)
        return false;
    for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
        if (strcmp(name, curves[i]) == 0)
            return true;
    }
    return false;
}

static int read_csr(struct str pem, X509_REQ **out, struct err *e)
{
    if (pem.len > PKI_CSR_BYTES_MAX)
        return err_set(e, ERR_PARSE, "a signing request has at most %d bytes", PKI_CSR_BYTES_MAX);
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    X509_REQ *r = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
    BIO_free(bio);
    if (r == NULL)
        return fail(e, ERR_PARSE, "not a signing request");
    EVP_PKEY *key = X509_REQ_get0_pubkey(r);
    if (key == NULL || !is_strong(key) || X509_REQ_verify(r, key) != 1) {
        X509_REQ_free(r);
        ERR_clear_error();
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "a signing request's key is on P-256, P-384 or P-521, and has signed it");
    }
    *out = r;
    return 0;
}

int pki_sign_csr(struct arena *a, const struct pki_pair *ca, struct str csr_pem,
                 const struct pki_request *request, struct str *out_certificate_pem, struct err *e)
{
    X509_REQ *r = NULL;
    int rc = read_csr(csr_pem, &r, e);
    if (rc != 0)
        return rc;
    X509 *ca_x = read_certificate(ca->certificate_pem);
    EVP_PKEY *ca_key = read_key(ca->key_pem);
    X509 *x = start_certificate(X509_REQ_get0_pubkey(r), request->now_s, request->days);
    if (ca_x == NULL || ca_key == NULL || X509_check_private_key(ca_x, ca_key) != 1)
        rc = fail(e, ERR_CORRUPT, "CA certificate and key");
    if (rc == 0)
        rc = fill_leaf(x, ca_x, request, e);
    if (rc == 0 && X509_sign(x, ca_key, EVP_sha256()) <= 0)
        rc = fail(e, ERR_INTERNAL, "sign");
    if (rc == 0)
        *out_certificate_pem = certificate_pem(a, x);
    X509_free(x);
    X509_free(ca_x);
    EVP_PKEY_free(ca_key);
    X509_REQ_free(r);
    return rc;
}

int pki_key_sha256(struct str pem, uint8_t out[PKI_SHA256_BYTES], struct err *e)
{
    X509 *x = read_certificate(pem);
    if (x == NULL)
        return fail(e, ERR_PARSE, "certificate");
    unsigned char *der = NULL;
    unsigned len = 0;
    int der_len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
    bool ok = der_len > 0 && EVP_Digest(der, (size_t)der_len, out, &len, EVP_sha256(), NULL) == 1;
    OPENSSL_free(der);
    X509_free(x);
    return ok ? 0 : fail(e, ERR_INTERNAL, "digest");
}

int pki_make_key(struct arena *a, struct str *out_private_pem, struct str *out_public_pem,
                 struct err *e)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    if (key == NULL)
        return fail(e, ERR_INTERNAL, "make a key");
    BIO *bio = BIO_new(BIO_s_mem());
    int rc = PEM_write_bio_PUBKEY(bio, key);
    ASSERT(rc == 1);
    *out_public_pem = take_pem(a, bio);
    *out_private_pem = key_pem(a, key);
    EVP_PKEY_free(key);
    return 0;
}

/* ---- reading ---- */

static struct str asn1_str(struct arena *a, const ASN1_STRING *s)
{
    unsigned char *utf8 = NULL;
    int len = ASN1_STRING_to_UTF8(&utf8, s);
    if (len < 0)
        return (struct str){ 0 };
    struct str copy = str_copy(a, str_of(utf8, (size_t)len));
    OPENSSL_free(utf8);
    return copy;
}

static struct str common_name(struct arena *a, X509_NAME *name)
{
    int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    if (at < 0)
        return (struct str){ 0 };
    return asn1_str(a, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
}

static uint64_t seconds(const ASN1_TIME *t)
{
    int days = 0;
    int rest = 0;
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    int rc = ASN1_TIME_diff(&days, &rest, epoch, t);
    ASN1_TIME_free(epoch);
    int64_t total = (int64_t)days * 86400 + rest;
    return rc == 1 && total > 0 ? (uint64_t)total : 0;
}

static void read_organizations(struct arena *a, X509_NAME *name, struct pki_info *out)
{
    int count = X509_NAME_entry_count(name);
    out->organizations = arena_array(a, (size_t)count, sizeof(struct str));
    for (int at = -1; (at = X509_NAME_get_index_by_NID(name, NID_organizationName, at)) >= 0;) {
        ASN1_STRING *value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
        out->organizations[out->organization_count++] = asn1_str(a, value);
    }
}

static struct str address_text(struct arena *a, const ASN1_OCTET_STRING *s)
{
    const unsigned char *b = ASN1_STRING_get0_data(s);
    if (ASN1_STRING_length(s) == 4)
        return str_printf(a, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
    if (ASN1_STRING_length(s) != 16)
        return (struct str){ 0 };
    struct str text = { 0 };
    for (int i = 0; i < 8; i++)
        text = str_printf(a, "%.*s%s%x", STR_ARG(text), i > 0 ? ":" : "",
                          b[i * 2] << 8 | b[i * 2 + 1]);
    return text;
}

static void read_names(struct arena *a, X509 *x, struct pki_info *out)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    if (names == NULL)
        return;
    int count = sk_GENERAL_NAME_num(names);
    if (count > NAMES_MAX)
        count = NAMES_MAX;
    out->names = arena_array(a, (size_t)count, sizeof(struct str));
    for (int i = 0; i < count; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_DNS)
            out->names[out->name_count++] = asn1_str(a, name->d.dNSName);
        else if (name->type == GEN_IPADD)
            out->names[out->name_count++] = address_text(a, name->d.iPAddress);
    }
    GENERAL_NAMES_free(names);
}

int pki_parse(struct arena *a, struct str pem, struct pki_info *out, struct err *e)
{
    X509 *x = read_certificate(pem);
    if (x == NULL)
        return fail(e, ERR_PARSE, "certificate");
    *out = (struct pki_info){ 0 };
    out->common_name = common_name(a, X509_get_subject_name(x));
    out->issuer_common_name = common_name(a, X509_get_issuer_name(x));
    read_organizations(a, X509_get_subject_name(x), out);
    read_names(a, x, out);
    const ASN1_INTEGER *serial = X509_get0_serialNumber(x);
    out->serial =
        str_hex(a, str_of(ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial)));
    out->not_before_s = seconds(X509_get0_notBefore(x));
    out->not_after_s = seconds(X509_get0_notAfter(x));
    out->is_ca = X509_check_ca(x) == 1;
    X509_free(x);
    return 0;
}
