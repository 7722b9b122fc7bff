/*
 * Join tokens: "ID.SECRET". The store knows the id and the secret's SHA-256, whose member it is for
 * and until when; the key expires by itself, and the transaction that uses it deletes it. The
 * secret has 128 bits from the system, so one round of a hash is as good as many.
 *
 * A key's value is text: "1 HASH EXPIRES-MS NAME".
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "controlplane/members_op.h"
#include "net/digest.h"

#define ID_BYTES     6
#define SECRET_BYTES 16
#define FORMAT       "1"

void join_token_key(struct str token, struct buf *out)
{
    ptrdiff_t dot = str_find_char(token, '.', 0);
    buf_append_c(out, JOIN_PREFIX);
    buf_append_str(out, str_slice(token, 0, dot < 0 ? token.len : (size_t)dot));
}

void join_given_key(uint64_t member_id, struct buf *out)
{
    buf_printf(out, JOIN_PREFIX "given/%llu", (unsigned long long)member_id);
}

bool join_was_given(struct store_group *cluster, uint64_t member_id)
{
    struct store_version found;
    struct store_read r;
    struct buf key;
    if (store_read_begin(cluster, 0, &r) != 0)
        return true; /* not known: no */
    buf_init(&key);
    join_given_key(member_id, &key);
    bool given = store_read_get(&r, buf_str(&key), &found) == 0;
    store_read_end(&r);
    buf_deinit(&key);
    return given;
}

static struct str secret_of(struct str token)
{
    ptrdiff_t dot = str_find_char(token, '.', 0);
    return dot < 0 ? str_of("", 0) : str_slice(token, (size_t)dot + 1, token.len);
}

static struct str hash_of(struct arena *a, struct str secret)
{
    uint8_t hash[DIGEST_SHA256_BYTES];
    digest_sha256(secret, hash);
    return str_hex(a, str_of(hash, sizeof hash));
}

void join_token_make(struct env *env, struct roster_txn *txn, struct str name,
                     char out[JOIN_TOKEN_BYTES])
{
    uint64_t expires = env_wall_ns(env) / ENV_MS + JOIN_TOKEN_MS;
    uint8_t random[ID_BYTES + SECRET_BYTES];
    struct arena *a = &txn->arena;
    struct buf key;
    env_random(env, random, sizeof random);
    struct str id = str_hex(a, str_of(random, ID_BYTES));
    struct str secret = str_hex(a, str_of(random + ID_BYTES, SECRET_BYTES));
    (void)snprintf(out, JOIN_TOKEN_BYTES, "%.*s.%.*s", STR_ARG(id), STR_ARG(secret)); /* fits */
    struct str hash = hash_of(a, secret);
    struct str value = str_printf(a, FORMAT " %.*s %llu %.*s", STR_ARG(hash),
                                  (unsigned long long)expires, STR_ARG(name));
    buf_init(&key);
    join_token_key(str_from(out), &key);
    roster_txn_put(txn, buf_str(&key), value, 0, expires);
    buf_deinit(&key);
}

static bool is_token(struct str token)
{
    size_t dots = 0;
    for (size_t i = 0; i < token.len; i++) {
        char c = token.data[i];
        dots += c == '.';
        if (c != '.' && !(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
            return false;
    }
    return token.len == 2 * (ID_BYTES + SECRET_BYTES) + 1 && dots == 1 &&
           token.data[(size_t)2 * ID_BYTES] == '.';
}

/* As long for every secret. */
static bool same(struct str a, struct str b)
{
    unsigned differ = a.len != b.len;
    for (size_t i = 0; i < a.len && i < b.len; i++)
        differ |= (unsigned)(a.data[i] ^ b.data[i]);
    return differ == 0;
}

static bool matches(struct str value, struct str hash, uint64_t now_ms, struct str *out_name)
{
    struct str format;
    struct str stored;
    struct str until;
    uint64_t expires = 0;
    if (!str_split(&value, ' ', &format) || !str_eq_c(format, FORMAT) ||
        !str_split(&value, ' ', &stored) || !str_split(&value, ' ', &until) ||
        str_to_u64(until, &expires) != 0 || !roster_name_is_good(value))
        return false;
    *out_name = value;
    return same(stored, hash) && now_ms < expires;
}

bool join_token_check(struct store_group *cluster, struct arena *a, struct str token,
                      uint64_t now_ms, struct str *out_name, uint64_t *out_revision)
{
    struct store_version found;
    struct store_read r;
    struct str name = str_of("", 0);
    struct buf key;
    bool good = false;
    if (!is_token(token) || store_read_begin(cluster, 0, &r) != 0)
        return false;
    buf_init(&key);
    join_token_key(token, &key);
    if (store_read_get(&r, buf_str(&key), &found) == 0) {
        good = matches(found.value, hash_of(a, secret_of(token)), now_ms, &name);
        *out_name = str_copy(a, name);
        *out_revision = found.revision;
    }
    store_read_end(&r);
    buf_deinit(&key);
    return good;
}
