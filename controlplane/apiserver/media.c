/* Accept and Content-Type, after RFC 9110 as far as upstream follows it. */
#include "controlplane/apiserver/media.h"

#include <string.h>

static const char *const names[MEDIA_TYPES] = {
    "application/json",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
};

static const char accepted_text[] = "application/json, application/yaml, "
                                    "application/vnd.kubernetes.protobuf";
static const char streamed_text[] = "application/json;stream=watch, "
                                    "application/vnd.kubernetes.protobuf;stream=watch";

const char *media_name(enum media_type type, bool stream)
{
    if (stream && type == MEDIA_PROTOBUF) {
        return "application/vnd.kubernetes.protobuf;stream=watch";
    }
    return names[type];
}

/* "0.5" in thousandths; anything odd counts as 1. */
static int parse_q(struct str s)
{
    int q = 0;
    int scale = 1000;
    bool fraction = false;
    if (s.len == 0 || s.len > 5) {
        return 1000;
    }
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        if (c == '.' && !fraction) {
            fraction = true;
        } else if (c >= '0' && c <= '9') {
            scale = fraction ? scale / 10 : scale;
            q += (c - '0') * scale;
        } else {
            return 1000;
        }
    }
    return q > 1000 ? 1000 : q;
}

static struct str unquote(struct str s)
{
    s = str_trim(s);
    if (s.len >= 2 && s.data[0] == '"' && s.data[s.len - 1] == '"') {
        return str_slice(s, 1, s.len - 1);
    }
    return s;
}

static void take_parameter(struct media_clause *c, struct str name, struct str value)
{
    if (str_eq_nocase(name, str_lit("q"))) {
        c->q = parse_q(value);
    } else if (str_eq_c(name, "g")) {
        c->group = value;
    } else if (str_eq_c(name, "v")) {
        c->version = value;
    } else if (str_eq_c(name, "as")) {
        c->as = value;
    } else if (str_eq_c(name, "stream")) {
        c->stream = value;
    } else if (str_eq_c(name, "sv")) {
        c->server_version = value;
    } else if (str_eq_c(name, "pretty")) {
        c->pretty = str_eq_c(value, "1");
    }
}

static struct media_clause parse_clause(struct str text)
{
    struct media_clause c = { .q = 1000 };
    struct str part;
    (void)str_split(&text, ';', &part); /* an empty text is refused by the caller */
    c.type = str_trim(part);
    while (text.data != NULL && str_split(&text, ';', &part)) {
        ptrdiff_t eq = str_find_char(part, '=', 0);
        if (eq >= 0) {
            take_parameter(&c, str_trim(str_slice(part, 0, (size_t)eq)),
                           unquote(str_slice(part, (size_t)eq + 1, part.len)));
        }
    }
    return c;
}

static bool any_type(const struct media_clause *c)
{
    return c->type.len > 0 && c->type.data[0] == '*';
}

static bool any_subtype(const struct media_clause *c)
{
    return c->type.len > 0 && c->type.data[c->type.len - 1] == '*';
}

/* Upstream's order: a greater q, but also what names its type before what does not, whatever their
 * q. It is no order at all in odd cases; the sort below is the one that upstream has for so few. */
static bool comes_before(const struct media_clause *a, const struct media_clause *b)
{
    return a->q > b->q || (!any_type(a) && any_type(b)) || (!any_subtype(a) && any_subtype(b));
}

size_t media_clauses(struct str accept, struct media_clause *out)
{
    size_t count = 0;
    struct str part;
    accept = str_trim(accept);
    while (accept.len > 0 && str_split(&accept, ',', &part)) {
        part = str_trim(part);
        if (part.len == 0) {
            continue;
        }
        if (count == MEDIA_CLAUSES_MAX) {
            break;
        }
        struct media_clause c = parse_clause(part);
        /* Insertion keeps what is equal in the header's order. */
        size_t at = count++;
        for (; at > 0 && comes_before(&c, &out[at - 1]); at--) {
            out[at] = out[at - 1];
        }
        out[at] = c;
    }
    if (count == 0 && accept.len == 0) {
        out[count++] = (struct media_clause){ .type = str_lit("*/*"), .q = 1000 };
    }
    return count;
}

bool media_clause_accepts(const struct media_clause *c, const char *type)
{
    if (str_eq_c(c->type, "*/*") || str_eq_c(c->type, "*")) {
        return true;
    }
    if (str_eq_c(c->type, "application/*")) {
        return strncmp(type, "application/", 12) == 0;
    }
    return str_eq_nocase(c->type, str_from(type));
}

/* What the clause asks to be made of the object; false: not here. */
static bool clause_transform(const struct media_clause *c, int allow, struct media *out)
{
    bool asked = c->as.data != NULL || c->group.data != NULL || c->version.data != NULL;
    out->transform = TRANSFORM_NONE;
    out->v1beta1 = false;
    if (!asked) {
        return true;
    }
    if (!str_eq_c(c->group, "meta.k8s.io") ||
        (!str_eq_c(c->version, "v1") && !str_eq_c(c->version, "v1beta1"))) {
        return false;
    }
    out->v1beta1 = str_eq_c(c->version, "v1beta1");
    if (str_eq_c(c->as, "Table")) {
        out->transform = TRANSFORM_TABLE;
        return (allow & MEDIA_ALLOW_TABLE) != 0 && out->type != MEDIA_PROTOBUF;
    }
    out->transform = str_eq_c(c->as, "PartialObjectMetadata")       ? TRANSFORM_PARTIAL
                     : str_eq_c(c->as, "PartialObjectMetadataList") ? TRANSFORM_PARTIAL_LIST
                                                                    : TRANSFORM_NONE;
    return out->transform != TRANSFORM_NONE && (allow & MEDIA_ALLOW_PARTIAL) != 0;
}

/* The first of our types that the clause takes as it stands, parameters and all. */
static bool clause_media(const struct media_clause *c, int allow, struct media *out)
{
    static const int needs[MEDIA_TYPES] = { 0, MEDIA_ALLOW_YAML, MEDIA_ALLOW_PROTOBUF };
    for (int t = 0; t < MEDIA_TYPES; t++) {
        struct media m = { .type = (enum media_type)t, .pretty = c->pretty };
        bool streams = t != MEDIA_YAML && str_eq_c(c->stream, "watch");
        if ((allow & needs[t]) != needs[t] || !media_clause_accepts(c, names[t]) ||
            (c->stream.len > 0 && !streams) ||
            (c->server_version.len > 0 && !str_eq_c(c->server_version, "v1"))) {
            continue;
        }
        if (clause_transform(c, allow, &m)) {
            *out = m;
            return true;
        }
    }
    return false;
}

int media_refused(bool stream, struct err *e)
{
    return err_set(e, ERR_NOT_ACCEPTABLE, "only the following media types are accepted: %s",
                   stream ? streamed_text : accepted_text);
}

int media_accept(struct str accept, int allow, struct media *out, struct err *e)
{
    struct media_clause clauses[MEDIA_CLAUSES_MAX];
    size_t count = media_clauses(str_slice(accept, 0, MEDIA_TEXT_MAX), clauses);
    for (size_t i = 0; i < count; i++) {
        if (clause_media(&clauses[i], allow, out)) {
            return 0;
        }
    }
    return media_refused(false, e);
}

static struct str base_type(struct str content_type)
{
    ptrdiff_t semi = str_find_char(content_type, ';', 0);
    return str_trim(semi < 0 ? content_type : str_slice(content_type, 0, (size_t)semi));
}

int media_content(struct str content_type, enum media_type *out, struct err *e)
{
    struct str type = base_type(content_type);
    if (type.len == 0) {
        *out = MEDIA_JSON;
        return 0;
    }
    for (int t = 0; t < MEDIA_TYPES; t++) {
        if (str_eq_nocase(type, str_from(names[t]))) {
            *out = (enum media_type)t;
            return 0;
        }
    }
    return err_set(e, ERR_UNSUPPORTED_MEDIA_TYPE,
                   "the body of the request was in an unknown format - accepted media types "
                   "include: %s",
                   accepted_text);
}

int media_patch(struct str content_type, enum patch_type *out, struct err *e)
{
    static const struct {
        const char *name;
        enum patch_type type;
    } types[] = {
        { "application/json-patch+json", PATCH_JSON },
        { "application/merge-patch+json", PATCH_MERGE },
        { "application/strategic-merge-patch+json", PATCH_STRATEGIC },
        { "application/apply-patch+yaml", PATCH_APPLY },
    };
    struct str type = base_type(content_type);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (str_eq_nocase(type, str_from(types[i].name))) {
            *out = types[i].type;
            return 0;
        }
    }
    return err_set(e, ERR_UNSUPPORTED_MEDIA_TYPE,
                   "the body of the request was in an unknown format - accepted media types "
                   "include: application/json-patch+json, application/merge-patch+json, "
                   "application/strategic-merge-patch+json, application/apply-patch+yaml");
}

/* Go's ParseBool; anything odd is false. */
static bool is_true(struct str v)
{
    static const char *const words[] = { "1", "t", "T", "true", "TRUE", "True" };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (str_eq_c(v, words[i])) {
            return true;
        }
    }
    return false;
}

bool media_pretty(struct str asked, struct str user_agent)
{
    static const char *const agents[] = { "curl", "Wget", "Mozilla/5.0" };
    if (asked.len > 0) {
        return is_true(asked);
    }
    for (size_t i = 0; i < sizeof(agents) / sizeof(agents[0]); i++) {
        if (str_starts(user_agent, str_from(agents[i]))) {
            return true;
        }
    }
    return false;
}

bool media_takes_gzip(struct str accept_encoding)
{
    struct str part;
    while (accept_encoding.len > 0 && str_split(&accept_encoding, ',', &part)) {
        if (str_eq_c(str_trim(part), "gzip")) {
            return true;
        }
    }
    return false;
}
