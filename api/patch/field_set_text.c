/* FieldsV1: field sets as JSON text, in and out. */
#include <stdlib.h>

#include "api/patch/field_element.h"
#include "api/patch/field_set.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* ---- out ---- */

/* A name that JSON writes as it is. */
static bool is_plain(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.data[i];
        if (c < ' ' || c > '~' || c == '"' || c == '\\')
            return false;
    }
    return true;
}

void field_element_write(struct buf *out, struct buf *scratch, const struct field_element *e)
{
    if (e->type == FIELD_NAME && is_plain(e->name)) {
        buf_append(out, "\"f:", 3);
        buf_append_str(out, e->name);
        buf_append_byte(out, '"');
        return;
    }
    buf_clear(scratch);
    if (e->type == FIELD_NAME) {
        buf_append_c(scratch, "f:");
        buf_append_str(scratch, e->name);
    } else if (e->type == FIELD_KEY) {
        struct json keys = json_object(e->keys, e->keys_count);
        buf_append_c(scratch, "k:");
        json_write(scratch, &keys, false);
    } else {
        buf_append_c(scratch, e->type == FIELD_VALUE ? "v:" : "i:");
        json_write(scratch, &e->value, false);
    }
    json_write_string(out, buf_str(scratch), false);
}

static void write_set(struct buf *out, struct buf *scratch, const struct field_set *s, bool self)
{
    if (s->count == 0) {
        buf_append(out, "{}", 2);
        return;
    }
    if (self)
        buf_append(out, "{\".\":{}", 7);
    for (size_t i = 0; i < s->count; i++) {
        const struct field_node *n = &s->nodes[i];
        buf_append_byte(out, i == 0 && !self ? '{' : ',');
        field_element_write(out, scratch, &n->element);
        buf_append_byte(out, ':');
        write_set(out, scratch, &n->below, n->member);
    }
    buf_append_byte(out, '}');
}

void field_set_write(struct buf *out, const struct field_set *s)
{
    struct buf scratch;
    buf_init(&scratch);
    write_set(out, &scratch, s, false);
    buf_deinit(&scratch);
}

/* ---- in ---- */

static bool is_scalar(const struct json *j)
{
    return j->type < JSON_ARRAY;
}

static int compare_members(const void *x, const void *y)
{
    const struct json_member *a = x;
    const struct json_member *b = y;
    return str_cmp(a->key, b->key);
}

static int parse_keys(struct arena *a, const struct json *j, struct field_element *out)
{
    if (j->type != JSON_OBJECT || j->count == 0 || j->count > FIELD_KEYS_MAX)
        return -ERR_INVALID_ARGUMENT;
    struct json_member *keys = arena_copy(a, j->u.members, j->count * sizeof(*keys));
    qsort(keys, j->count, sizeof(*keys), compare_members);
    for (size_t i = 0; i < j->count; i++) {
        if (!is_scalar(&keys[i].value) || (i > 0 && str_eq(keys[i - 1].key, keys[i].key)))
            return -ERR_INVALID_ARGUMENT;
    }
    *out = (struct field_element){ .type = FIELD_KEY, .keys = keys, .keys_count = j->count };
    return 0;
}

/* 1: an element of a kind that is not ours to know. */
static int parse_element(struct arena *a, struct str text, struct field_element *out)
{
    const struct json *j = NULL;
    struct str rest = str_slice(text, 2, text.len);
    if (text.len < 2 || text.data[1] != ':')
        return -ERR_INVALID_ARGUMENT;
    if (text.data[0] == 'f') {
        *out = (struct field_element){ .type = FIELD_NAME, .name = rest };
        return 0;
    }
    if (text.data[0] != 'k' && text.data[0] != 'v' && text.data[0] != 'i')
        return 1;
    if (json_parse(a, rest, &j, NULL) != 0)
        return -ERR_INVALID_ARGUMENT;
    if (text.data[0] == 'k')
        return parse_keys(a, j, out);
    bool index = text.data[0] == 'i';
    if (!is_scalar(j) || (index && j->type != JSON_INT))
        return -ERR_INVALID_ARGUMENT;
    *out = (struct field_element){ .type = index ? FIELD_INDEX : FIELD_VALUE, .value = *j };
    return 0;
}

/* *self: the object had a "." */
static int parse_set(struct arena *a, const struct json *j, int depth, bool *self,
                     struct field_set *out, struct err *e)
{
    struct field_builder b = { 0 };
    if (j->type != JSON_OBJECT)
        return err_set(e, ERR_INVALID_ARGUMENT, "fieldsV1: expected objects");
    if (depth > FIELD_SET_DEPTH_MAX)
        return err_set(e, ERR_INVALID_ARGUMENT, "fieldsV1: nested too deep");
    for (size_t i = 0; i < j->count; i++) {
        const struct json_member *m = &j->u.members[i];
        struct field_node n = { 0 };
        if (str_eq_c(m->key, ".")) {
            *self = true;
            continue;
        }
        int rc = parse_element(a, m->key, &n.element);
        if (rc == 1)
            continue;
        if (rc != 0)
            return err_set(e, ERR_INVALID_ARGUMENT, "fieldsV1: \"%.*s\" is no path element",
                           STR_ARG(str_slice(m->key, 0, 100)));
        rc = parse_set(a, &m->value, depth + 1, &n.member, &n.below, e);
        if (rc != 0)
            return rc;
        n.member = n.member || n.below.count == 0;
        field_builder_add(a, &b, &n);
    }
    *out = field_builder_finish(a, &b);
    return 0;
}

int field_set_parse(struct arena *a, struct str text, struct field_set *out, struct err *e)
{
    const struct json *j = NULL;
    struct field_set set = { 0 };
    bool self = false; /* of the root: means nothing */
    int rc = json_parse(a, text, &j, e);
    if (rc != 0)
        return rc;
    rc = parse_set(a, j, 0, &self, &set, e);
    if (rc == 0)
        *out = set;
    return rc;
}
