/* The rules in the header's table, with upstream's texts for what they refuse. */
#include "controlplane/apiserver/list_options.h"

#include "api/schema/err_list.h"
#include "api/schema/json.h"

#define CONTINUE_BYTES_MAX 4096
#define CONTINUE_SHOWN_MAX 64 /* of a bad token, in its error */

int list_options_invalid(struct request *r, const struct err_list *list)
{
    return status_invalid_options(&r->arena, &r->status, "ListOptions", list);
}

int list_options_bad_revision(struct request *r, struct str rv)
{
    return status_bad_request(
        &r->status, str_printf(&r->arena,
                               "invalid resource version: resourceVersion: Invalid value: "
                               "\"%.*s\": strconv.ParseUint: parsing \"%.*s\": invalid syntax",
                               STR_ARG(rv), STR_ARG(rv)));
}

struct str continue_encode(struct arena *a, const struct list_place *place)
{
    struct buf b;
    buf_init(&b);
    buf_printf(&b, "{\"v\":\"meta.k8s.io/v1\",\"rv\":%lld,\"start\":", (long long)place->revision);
    /* The first key that comes after `after`, as upstream writes it. */
    struct str start = str_printf(a, "%.*s%c", STR_ARG(place->after), '\0');
    json_write_string(&b, str_of(start.data, place->after.len + 1), true);
    if (place->left >= 0) {
        buf_printf(&b, ",\"left\":%lld", (long long)place->left);
    }
    buf_append_c(&b, "}");
    struct str token = str_base64url(a, buf_str(&b));
    buf_deinit(&b);
    return token;
}

/* Would the start lead out of the collection, or to no key? As upstream, which cleans it as a path.
 */
static bool start_is_odd(struct str key)
{
    struct str part;
    if (key.len > 0 && key.data[0] == '/') {
        key = str_slice(key, 1, key.len);
    }
    while (key.data != NULL && str_split(&key, '/', &part)) {
        if (part.len == 0 || str_eq_c(part, ".") || str_eq_c(part, "..")) {
            return true;
        }
    }
    return false;
}

int continue_decode(struct arena *a, struct str token, struct list_place *out, struct err *e)
{
    struct str text;
    const struct json *tree;
    if (token.len > CONTINUE_BYTES_MAX || str_base64url_decode(a, token, &text) != 0 ||
        json_parse(a, text, &tree, e) != 0) {
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "invalid continue token: continue key is not valid: it is no token");
    }
    const struct json *v = json_get_c(tree, "v");
    const struct json *rv = json_get_c(tree, "rv");
    const struct json *start = json_get_c(tree, "start");
    const struct json *left = json_get_c(tree, "left");
    if (v == NULL || !str_eq_c(json_str(v), "meta.k8s.io/v1")) {
        struct str shown = v == NULL ? str_lit("") : str_slice(json_str(v), 0, CONTINUE_SHOWN_MAX);
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "invalid continue token: continue key is not valid: server does not "
                       "recognize this encoded version %.*s",
                       STR_ARG(shown));
    }
    if (rv == NULL || rv->type != JSON_INT || rv->u.integer == 0) {
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "invalid continue token: continue key is not valid: incorrect encoded "
                       "start resourceVersion (version meta.k8s.io/v1)");
    }
    struct str key = start == NULL ? str_lit("") : json_str(start);
    if (key.len == 0) {
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "invalid continue token: continue key is not valid: encoded start key "
                       "empty (version meta.k8s.io/v1)");
    }
    if (key.len < 2 || key.data[key.len - 1] != '\0' || start_is_odd(key)) {
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "invalid continue token: continue key is not valid: %.*s",
                       STR_ARG(str_slice(key, 0, CONTINUE_SHOWN_MAX)));
    }
    bool known = left != NULL && left->type == JSON_INT && left->u.integer >= 0;
    *out = (struct list_place){ .revision = rv->u.integer,
                                .after = str_slice(key, 0, key.len - 1),
                                .left = known ? left->u.integer : -1 };
    return 0;
}

static void check_match(struct str match, struct str rv, struct str token, struct err_list *out)
{
    static const char field[] = "resourceVersionMatch";
    bool exact = str_eq_c(match, "Exact");
    if (rv.len == 0) {
        err_list_add(out, field, FIELD_FORBIDDEN,
                     "resourceVersionMatch is forbidden unless resourceVersion is provided");
    }
    if (token.len > 0) {
        err_list_add(out, field, FIELD_FORBIDDEN,
                     "resourceVersionMatch is forbidden when continue is provided");
    }
    if (!exact && !str_eq_c(match, "NotOlderThan")) {
        err_list_addf(out, field, FIELD_NOT_SUPPORTED,
                      "\"%.*s\": supported values: \"Exact\", \"NotOlderThan\", \"\"",
                      STR_ARG(match));
    }
    if (exact && str_eq_c(rv, "0")) {
        err_list_add(out, field, FIELD_FORBIDDEN,
                     "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
    }
}

/* Everything that does not go together, told at once. */
static int check_together(struct request *r, struct str match, struct str rv, struct str token)
{
    struct err_list errors;
    err_list_init(&errors, &r->arena);
    if (match.len > 0) {
        check_match(match, rv, token, &errors);
    }
    if (route_has_param(&r->route, "sendInitialEvents")) {
        err_list_add(&errors, "sendInitialEvents", FIELD_FORBIDDEN,
                     "sendInitialEvents is forbidden for list");
    }
    return errors.count == 0 ? 0 : list_options_invalid(r, &errors);
}

static int resume(struct request *r, struct str token, struct str rv, struct list_options *out)
{
    struct err e = { 0 };
    struct list_place place;
    if (continue_decode(&r->arena, token, &place, &e) != 0) {
        return status_from_err(&r->arena, &r->status, -ERR_INVALID_ARGUMENT, &e);
    }
    if (rv.len > 0 && !str_eq_c(rv, "0")) {
        return status_bad_request(
            &r->status, str_lit("specifying resource version is not allowed when using continue"));
    }
    out->resumed = true;
    out->after = place.after;
    if (place.revision > 0) {
        out->left = place.left;
        out->exact = true;
        out->revision = (uint64_t)place.revision;
        r->revision = out->revision;
        r->mode = READ_AT_LEAST;
    }
    return 0;
}

int list_options_parse(struct request *r, struct list_options *out)
{
    struct err e = { 0 };
    struct str token = route_param(&r->route, "continue");
    struct str rv = route_param(&r->route, "resourceVersion");
    struct str match = route_param(&r->route, "resourceVersionMatch");
    *out = (struct list_options){ .left = -1 };
    if (route_param_i64(&r->route, "limit", &out->limit, &e) != 0) {
        return status_from_err(&r->arena, &r->status, -ERR_INVALID_ARGUMENT, &e);
    }
    out->limit = out->limit < 0 ? 0 : out->limit;
    int rc = check_together(r, match, rv, token);
    if (rc != 0) {
        return rc;
    }
    if (token.len > 0) {
        return resume(r, token, rv, out);
    }
    if (rv.len == 0) {
        return 0;
    }
    if (str_to_u64(rv, &out->revision) != 0) {
        return list_options_bad_revision(r, rv);
    }
    r->revision = out->revision;
    r->mode = out->revision == 0 ? READ_LOCAL : READ_AT_LEAST;
    out->exact =
        out->revision != 0 && (str_eq_c(match, "Exact") || (match.len == 0 && out->limit > 0));
    return 0;
}
