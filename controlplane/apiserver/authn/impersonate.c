/* Another identity than the connection's, as a request's headers describe it. */
#include "api/meta/names.h"
#include "base/arena.h"
#include "base/buf.h"
#include "controlplane/apiserver/authn/authn.h"
#include "net/http.h"

#define USER           "impersonate-user"
#define GROUP          "impersonate-group"
#define UID            "impersonate-uid"
#define EXTRA          "impersonate-extra-"

#define ACCOUNT        "system:serviceaccount:"
#define ACCOUNT_GROUP  "system:serviceaccounts"
#define ACCOUNT_GROUPS 2 /* all of them, and those of its namespace */

static const struct str authenticated = STR("system:authenticated");
static const struct str unauthenticated = STR("system:unauthenticated");

bool authn_impersonates(struct str name)
{
    return str_eq_c(name, USER) || str_eq_c(name, GROUP) || str_eq_c(name, UID) ||
           str_starts(name, str_lit(EXTRA));
}

static struct identity_extra *find_extra(struct identity *who, struct str key)
{
    for (size_t i = 0; i < who->extras_count; i++) {
        if (str_eq(who->extras[i].key, key)) {
            return &who->extras[i];
        }
    }
    return NULL;
}

/* The array grows by doubling: there is room until the count is a power of two. */
static void add_value(struct arena *a, struct identity_extra *extra, struct str value)
{
    size_t count = extra->values_count;
    if ((count & (count - 1)) == 0) {
        struct str *more = arena_array(a, count == 0 ? 1 : 2 * count, sizeof(*more));
        for (size_t i = 0; i < count; i++) {
            more[i] = extra->values[i];
        }
        extra->values = more;
    }
    extra->values[extra->values_count++] = str_copy(a, value);
}

static void add_extra(struct arena *a, struct identity *who, const struct http_header *h)
{
    struct str encoded = str_slice(h->name, sizeof(EXTRA) - 1, h->name.len);
    struct str key;
    if (http_percent_decode(a, encoded, false, &key) != 0) {
        key = encoded; /* upstream's rule */
    }
    struct identity_extra *extra = find_extra(who, key);
    if (extra == NULL) {
        extra = &who->extras[who->extras_count++];
        *extra = (struct identity_extra){ .key = str_copy(a, key) };
    }
    add_value(a, extra, h->value);
}

/* All that headers say; groups has room for those that come with an account or with anybody. */
static void read_headers(struct arena *a, const struct http_headers *headers, struct identity *who)
{
    size_t max = headers->count;
    who->user = str_copy(a, http_headers_get(headers, USER));
    who->uid = str_copy(a, http_headers_get(headers, UID));
    who->groups = arena_array(a, max + ACCOUNT_GROUPS + 1, sizeof(*who->groups));
    who->extras = arena_array(a, max, sizeof(*who->extras));
    for (size_t i = 0; i < max; i++) {
        const struct http_header *h = &headers->items[i];
        if (str_eq_c(h->name, GROUP)) {
            who->groups[who->groups_count++] = str_copy(a, h->value);
        } else if (str_starts(h->name, str_lit(EXTRA))) {
            add_extra(a, who, h);
        }
    }
}

/* The namespace of a service account's name; absent for other users. */
static struct str account_namespace(struct str user)
{
    struct name_messages messages;
    struct str name = str_slice(user, sizeof(ACCOUNT) - 1, user.len);
    struct str ns;
    if (!str_starts(user, str_lit(ACCOUNT)) || !str_split(&name, ':', &ns) ||
        !name_dns1123_label(ns, &messages) || !name_dns1123_subdomain(name, &messages)) {
        return (struct str){ 0 };
    }
    return ns;
}

static bool in_group(const struct identity *who, struct str group)
{
    for (size_t i = 0; i < who->groups_count; i++) {
        if (str_eq(who->groups[i], group)) {
            return true;
        }
    }
    return false;
}

/* The groups that come by themselves. */
static void complete_groups(struct arena *a, struct identity *who)
{
    struct str ns = account_namespace(who->user);
    bool anonymous = str_eq_c(who->user, "system:anonymous");
    if (who->groups_count == 0 && ns.data != NULL) {
        who->groups[who->groups_count++] = str_lit(ACCOUNT_GROUP);
        who->groups[who->groups_count++] = str_printf(a, ACCOUNT_GROUP ":%.*s", STR_ARG(ns));
    }
    if (in_group(who, unauthenticated) || (!anonymous && in_group(who, authenticated))) {
        return;
    }
    who->groups[who->groups_count++] = anonymous ? unauthenticated : authenticated;
}

/* What was asked for, as upstream prints its references: kind, namespace, name, uid, apiVersion,
 * resourceVersion and fieldPath. */
static int refuse(const struct identity *who, struct err *e)
{
    static const char version[] = "authentication.k8s.io/v1";
    struct buf b;
    buf_init(&b);
    for (size_t i = 0; i < who->groups_count; i++) {
        buf_printf(&b, " {Group  %.*s    }", STR_ARG(who->groups[i]));
    }
    for (size_t i = 0; i < who->extras_count; i++) {
        const struct identity_extra *x = &who->extras[i];
        for (size_t j = 0; j < x->values_count; j++) {
            buf_printf(&b, " {UserExtra  %.*s  %s  %.*s}", STR_ARG(x->values[j]), version,
                       STR_ARG(x->key));
        }
    }
    if (who->uid.len > 0) {
        buf_printf(&b, " {UID  %.*s  %s  }", STR_ARG(who->uid), version);
    }
    struct str text = str_slice(buf_str(&b), 1, b.len);
    int rc = err_set(e, ERR_INVALID_ARGUMENT, "requested [%.*s] without impersonating a user",
                     STR_ARG(text));
    buf_deinit(&b);
    return rc;
}

int authn_impersonate(struct arena *a, const struct http_headers *headers, struct identity *out,
                      struct err *e)
{
    *out = (struct identity){ 0 };
    bool asked = false;
    for (size_t i = 0; i < headers->count && !asked; i++) {
        asked = authn_impersonates(headers->items[i].name);
    }
    if (!asked) {
        return 0;
    }
    read_headers(a, headers, out);
    if (out->user.len > 0) {
        out->impersonated = true;
        complete_groups(a, out);
        return 0;
    }
    return out->groups_count + out->extras_count + out->uid.len > 0 ? refuse(out, e) : 0;
}
