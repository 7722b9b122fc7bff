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

static struct media_clause parse_clause(struct str text)
{
    struct media_clause c = { .q = 1000 };
    struct str part;
    (void)str_split(&text, ';', &part); /* an empty text is refused by the caller */
    c.type = str_trim(part);
    while (text.data != NULL && str_split(&text, ';', &part)) {
        ptrdiff_t eq = str_find_char(part, '=', 0);
        if (eq < 0) {
            continue;
        }
        struct str name = str_trim(str_slice(part, 0, (size_t)eq));
        struct str value = unquote(str_slice(part, (size_t)eq + 1, part.len));
        if (str_eq_nocase(name, str_lit("q"))) {
            c.q = parse_q(value);
        } else if (str_eq_c(name, "g")) {
            c.group = value;
        } else if (str_eq_c(name, "v")) {
            c.version = value;
        } else if (str_eq_c(name, "as")) {
            c.as = value;
        }
    }
    return c;
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
        if (c.q == 0) {
            continue;
        }
        /* Insertion keeps equal q in the header's order. */
        size_t at = count++;
        for (; at > 0 && out[at - 1].q < c.q; at--) {
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

static bool clause_encoding(const struct media_clause *c, int allow, enum media_type *out)
{
    static const int needs[MEDIA_TYPES] = { 0, MEDIA_ALLOW_YAML, MEDIA_ALLOW_PROTOBUF };
    for (int t = 0; t < MEDIA_TYPES; t++) {
        if ((allow & needs[t]) == needs[t] && media_clause_accepts(c, names[t])) {
            *out = (enum media_type)t;
            return true;
        }
    }
    return false;
}

static bool clause_transform(const struct media_clause *c, int allow, struct media *out)
{
    out->transform = TRANSFORM_NONE;
    out->v1beta1 = false;
    if (c->as.len == 0) {
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
    if (str_eq_c(c->as, "PartialObjectMetadata") || str_eq_c(c->as, "PartialObjectMetadataList")) {
        out->transform = TRANSFORM_PARTIAL;
        return (allow & MEDIA_ALLOW_PARTIAL) != 0;
    }
    return false;
}

int media_accept(struct str accept, int allow, struct media *out, struct err *e)
{
    struct media_clause clauses[MEDIA_CLAUSES_MAX];
    size_t count = media_clauses(str_slice(accept, 0, MEDIA_TEXT_MAX), clauses);
    for (size_t i = 0; i < count; i++) {
        struct media m = { 0 };
        if (clause_encoding(&clauses[i], allow, &m.type) &&
            clause_transform(&clauses[i], allow, &m)) {
            *out = m;
            return 0;
        }
    }
    return err_set(e, ERR_NOT_ACCEPTABLE, "only the following media types are accepted: %s",
                   accepted_text);
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
                   "application/strategic-merge-patch+json");
}
