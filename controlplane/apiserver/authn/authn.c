/* Client certificates; the connection has verified them already. */
#include "controlplane/apiserver/authn/authn.h"

#include "base/arena.h"
#include "base/buf.h"
#include "net/http.h"
#include "net/tls.h"

/* Every identity but the anonymous one is also in this group. */
static const struct str group_authenticated = STR("system:authenticated");

static void fill_groups(struct arena *a, const struct str *from, size_t count, struct identity *out)
{
    out->groups = arena_array(a, count + 1, sizeof(*out->groups));
    for (size_t i = 0; i < count; i++) {
        out->groups[i] = str_copy(a, from[i]);
    }
    out->groups[count] = group_authenticated;
    out->groups_count = count + 1;
}

/* Which credential it was, as upstream names it since 1.32. */
static void fill_credential(struct arena *a, const struct tls_identity *id, struct identity *out)
{
    struct str sha256 =
        str_hex(a, str_of((const char *)id->certificate_sha256, sizeof id->certificate_sha256));
    struct identity_extra *extra = arena_array(a, 1, sizeof(*extra));
    extra->key = str_lit("authentication.kubernetes.io/credential-id");
    extra->values = arena_array(a, 1, sizeof(*extra->values));
    extra->values[0] = str_printf(a, "X509SHA256=%.*s", STR_ARG(sha256));
    extra->values_count = 1;
    out->extras = extra;
    out->extras_count = 1;
}

int authn_identify(struct arena *a, const struct http_peer *peer, const char *plain_user,
                   struct identity *out, struct err *e)
{
    if (!peer->tls) {
        if (plain_user == NULL) {
            return err_set(e, ERR_UNAUTHENTICATED, "Unauthorized");
        }
        out->user = str_copy(a, str_from(plain_user));
        fill_groups(a, NULL, 0, out);
        return 0;
    }
    const struct tls_identity *id = peer->identity;
    if (!id->verified || id->common_name.len == 0) {
        return err_set(e, ERR_UNAUTHENTICATED, "Unauthorized");
    }
    out->user = str_copy(a, id->common_name);
    fill_groups(a, id->organizations, id->organization_count, out);
    fill_credential(a, id, out);
    return 0;
}

/* ---- tokens ---- */

/* The field's value without tokens; absent when nothing else is in it. */
static struct str without_tokens(struct arena *a, struct str value)
{
    struct buf left;
    struct str rest = value;
    struct str name;
    buf_init(&left);
    while (rest.data != NULL && str_split(&rest, ',', &name)) {
        name = str_trim(name);
        if (!str_starts(name, str_lit("base64url.bearer.authorization.k8s.io."))) {
            buf_printf(&left, "%s%.*s", left.len > 0 ? ", " : "", STR_ARG(name));
        }
    }
    struct str out = left.len > 0 ? str_copy(a, buf_str(&left)) : (struct str){ 0 };
    buf_deinit(&left);
    return out;
}

void authn_forget_tokens(struct arena *a, struct http_headers *headers)
{
    size_t kept = 0;
    for (size_t i = 0; i < headers->count; i++) {
        struct http_header h = headers->items[i];
        if (str_eq_c(h.name, "sec-websocket-protocol")) {
            h.value = without_tokens(a, h.value);
        }
        if (h.value.data != NULL) {
            headers->items[kept++] = h;
        }
    }
    headers->count = kept;
}
