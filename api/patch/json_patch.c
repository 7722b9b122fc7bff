/* RFC 6902: a list of operations, all or nothing. */
#include <string.h>

#include "api/patch/edit.h"
#include "api/patch/patch.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* Pointers deeper than any tree we parse point nowhere. */
#define TOKENS_MAX JSON_DEPTH_MAX

struct pointer {
    struct str text;
    struct str tokens[TOKENS_MAX];
    size_t count;
};

struct patcher {
    struct arena *arena;
    struct json root;
    size_t copied;
    struct err *e;
};

/* ---- pointers ---- */

static int unescape(struct patcher *p, struct str raw, struct str *out)
{
    if (raw.len == 0 || memchr(raw.data, '~', raw.len) == NULL) {
        *out = raw;
        return 0;
    }
    char *text = arena_alloc(p->arena, raw.len);
    size_t len = 0;
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.data[i];
        if (c == '~') {
            char next = i + 1 < raw.len ? raw.data[i + 1] : '\0';
            if (next != '0' && next != '1')
                return err_set(p->e, ERR_INVALID, "invalid escape in JSON pointer token %.*s",
                               STR_ARG(raw));
            c = next == '0' ? '~' : '/';
            i++;
        }
        text[len++] = c;
    }
    *out = str_of(text, len);
    return 0;
}

static int parse_pointer(struct patcher *p, struct str text, struct pointer *out)
{
    out->text = text;
    out->count = 0;
    if (text.len == 0)
        return 0;
    if (text.data[0] != '/')
        return err_set(p->e, ERR_INVALID, "JSON pointer must be empty or start with a \"/\": %.*s",
                       STR_ARG(text));
    struct str rest = str_slice(text, 1, text.len);
    for (;;) {
        ptrdiff_t slash = str_find_char(rest, '/', 0);
        struct str token = slash < 0 ? rest : str_slice(rest, 0, (size_t)slash);
        if (out->count == TOKENS_MAX)
            return err_set(p->e, ERR_INVALID, "JSON pointer has more than %d tokens", TOKENS_MAX);
        int rc = unescape(p, token, &out->tokens[out->count++]);
        if (rc != 0 || slash < 0)
            return rc;
        rest = str_slice(rest, (size_t)slash + 1, rest.len);
    }
}

/* A negative index counts from the end, as upstream's library has it. count: of the
 * indexes there are. */
static int parse_index(struct str token, size_t count, size_t *out)
{
    int64_t value;
    bool zero = token.len > 1 && token.data[0] == '0'; /* RFC 6901 has no leading zeros */
    if (zero || token.len > 18 || str_to_i64(token, &value) != 0)
        return -ERR_PARSE;
    value = value < 0 ? value + (int64_t)count : value;
    if (value < 0 || value >= (int64_t)count)
        return -ERR_NOT_FOUND;
    *out = (size_t)value;
    return 0;
}

/* Why a token is no index of the array that at->text points into. what: "add" or "remove". */
static int bad_index(struct patcher *p, const char *what, const struct pointer *at, int rc)
{
    struct str token = at->tokens[at->count - 1];
    if (rc == -ERR_NOT_FOUND)
        return err_set(p->e, ERR_INVALID,
                       "error in %s for path: '%.*s': Unable to access invalid index: %.*s: "
                       "invalid index referenced",
                       what, STR_ARG(at->text), STR_ARG(token));
    return err_set(p->e, ERR_INVALID,
                   "error in %s for path: '%.*s': %s%.*s%sstrconv.Atoi: parsing \"%.*s\": invalid "
                   "syntax",
                   what, STR_ARG(at->text),
                   what[0] == 'a' ? "value was not a proper array index: '" : "",
                   what[0] == 'a' ? (int)token.len : 0, token.data, what[0] == 'a' ? "': " : "",
                   STR_ARG(token));
}

/* "add operation does not apply: doc is missing path: ...": each operation has its own words. */
static int missing(struct patcher *p, const char *words, const struct pointer *at)
{
    bool quoted = words[0] == 'a' || (words[0] == 'r' && words[2] == 'm');
    const char *quote = quoted ? "\"" : "";
    return err_set(p->e, ERR_INVALID, "%s: %s%.*s%s: missing value", words, quote,
                   STR_ARG(at->text), quote);
}

/* The value at the first count tokens, for changing. NULL: not there. */
static struct json *walk(struct patcher *p, const struct pointer *at, size_t count)
{
    struct json *node = &p->root;
    size_t index;
    for (size_t i = 0; i < count && node != NULL; i++) {
        if (node->type == JSON_OBJECT)
            node = edit_member(p->arena, node, at->tokens[i]);
        else if (node->type == JSON_ARRAY && parse_index(at->tokens[i], node->count, &index) == 0)
            node = edit_item(p->arena, node, index);
        else
            node = NULL;
    }
    return node;
}

/* As above for looking only: changes nothing, so that a test copies nothing. */
static const struct json *look(const struct patcher *p, const struct pointer *at, size_t count)
{
    const struct json *node = &p->root;
    size_t index;
    for (size_t i = 0; i < count && node != NULL; i++) {
        if (node->type == JSON_OBJECT)
            node = json_get(node, at->tokens[i]);
        else if (node->type == JSON_ARRAY && parse_index(at->tokens[i], node->count, &index) == 0)
            node = &node->u.items[index];
        else
            node = NULL;
    }
    return node;
}

/* ---- operations ---- */

/* words: what is said when there is no such place. */
static int add(struct patcher *p, const char *op, const char *words, const struct pointer *at,
               struct json value)
{
    size_t index = 0;
    if (at->count + edit_depth(&value) > JSON_DEPTH_MAX)
        return err_set(p->e, ERR_INVALID, "%s operation nests deeper than %d", op, JSON_DEPTH_MAX);
    if (at->count == 0) {
        p->root = value;
        return 0;
    }
    struct json *parent = walk(p, at, at->count - 1);
    struct str last = at->tokens[at->count - 1];
    if (parent == NULL || parent->type < JSON_ARRAY)
        return missing(p, words, at);
    if (parent->type == JSON_OBJECT) {
        edit_put(p->arena, parent, last, value);
        return 0;
    }
    int rc = str_eq_c(last, "-") ? 0 : parse_index(last, (size_t)parent->count + 1, &index);
    if (rc != 0)
        return bad_index(p, "add", at, rc);
    edit_insert(p->arena, parent, str_eq_c(last, "-") ? parent->count : index, value);
    return 0;
}

static int drop(struct patcher *p, const char *op, const char *words, const struct pointer *at)
{
    size_t index;
    if (at->count == 0)
        return err_set(p->e, ERR_INVALID, "%s operation does not apply to the whole document", op);
    struct json *parent = walk(p, at, at->count - 1);
    struct str last = at->tokens[at->count - 1];
    if (parent == NULL || parent->type < JSON_ARRAY)
        return missing(p, words, at);
    if (parent->type == JSON_OBJECT) {
        if (!edit_drop(p->arena, parent, last))
            return err_set(p->e, ERR_INVALID,
                           "error in %s for path: '%.*s': Unable to remove nonexistent key: %.*s: "
                           "missing value",
                           op, STR_ARG(at->text), STR_ARG(last));
        return 0;
    }
    int rc = parse_index(last, parent->count, &index);
    if (rc != 0)
        return bad_index(p, op, at, rc);
    edit_erase(p->arena, parent, index);
    return 0;
}

static int replace(struct patcher *p, const struct pointer *at, struct json value)
{
    const struct json *parent = at->count == 0 ? NULL : look(p, at, at->count - 1);
    struct json *node = walk(p, at, at->count);
    if (node == NULL && (parent == NULL || parent->type < JSON_ARRAY))
        return missing(p, "replace operation does not apply: doc is missing path", at);
    if (node == NULL)
        return missing(p, "replace operation does not apply: doc is missing key", at);
    if (at->count + edit_depth(&value) > JSON_DEPTH_MAX)
        return err_set(p->e, ERR_INVALID, "replace operation nests deeper than %d", JSON_DEPTH_MAX);
    *node = value;
    return 0;
}

static int move_or_copy(struct patcher *p, bool move, const struct pointer *from,
                        const struct pointer *to)
{
    const char *from_words = move ? "move operation does not apply: doc is missing from path"
                                  : "copy operation does not apply: doc is missing from path";
    const char *to_words = move ? "move operation does not apply: doc is missing destination path"
                                : "copy operation does not apply: doc is missing destination path";
    const char *op = move ? "move" : "copy";
    const struct json *source = look(p, from, from->count);
    if (source == NULL)
        return missing(p, from_words, from);
    if (!move) {
        struct json value = edit_copy(p->arena, source, &p->copied);
        if (p->copied > PATCH_COPY_BYTES_MAX)
            return err_set(p->e, ERR_TOO_LARGE,
                           "unable to complete the copy, the accumulated size increase of copy is "
                           "%zu, exceeding the limit %u",
                           p->copied, PATCH_COPY_BYTES_MAX);
        return add(p, op, to_words, to, value);
    }
    bool inside = to->count > from->count;
    for (size_t i = 0; inside && i < from->count; i++)
        inside = str_eq(from->tokens[i], to->tokens[i]);
    if (inside)
        return err_set(p->e, ERR_INVALID, "move operation does not apply: %.*s lies inside %.*s",
                       STR_ARG(to->text), STR_ARG(from->text));
    if (str_eq(from->text, to->text))
        return 0;
    struct json value = *source;
    int rc = drop(p, op, from_words, from);
    return rc == 0 ? add(p, op, to_words, to, value) : rc;
}

static int test(struct patcher *p, const struct pointer *at, const struct json *value)
{
    const struct json *parent = at->count == 0 ? &p->root : look(p, at, at->count - 1);
    const struct json *found = look(p, at, at->count);
    if (parent == NULL || parent->type < JSON_ARRAY)
        return missing(p, "test operation does not apply: is missing path", at);
    if (found == NULL && value->type == JSON_NULL)
        return 0;
    if (found != NULL && json_equal(found, value))
        return 0;
    return err_set(p->e, ERR_INVALID, "testing value %.*s failed: test failed", STR_ARG(at->text));
}

static int need_pointer(struct patcher *p, const struct json *op, const char *member,
                        struct pointer *out)
{
    const struct json *text = json_get_c(op, member);
    if (text == NULL || text->type != JSON_STRING)
        return err_set(p->e, ERR_INVALID, "operation missing %s field", member);
    return parse_pointer(p, json_str(text), out);
}

static int need_value(struct patcher *p, const struct json *op, const struct json **out)
{
    *out = json_get_c(op, "value");
    if (*out == NULL)
        return err_set(p->e, ERR_INVALID, "operation missing value field");
    return 0;
}

static int apply(struct patcher *p, const struct json *op)
{
    struct pointer path;
    struct pointer from;
    const struct json *value;
    struct str kind = json_str(json_get_c(op, "op"));
    int rc = need_pointer(p, op, "path", &path);
    if (rc != 0)
        return rc;
    if (str_eq_c(kind, "remove"))
        return drop(p, "remove", "remove operation does not apply: doc is missing path", &path);
    if (str_eq_c(kind, "move") || str_eq_c(kind, "copy")) {
        rc = need_pointer(p, op, "from", &from);
        return rc == 0 ? move_or_copy(p, kind.data[0] == 'm', &from, &path) : rc;
    }
    bool known = str_eq_c(kind, "add") || str_eq_c(kind, "replace") || str_eq_c(kind, "test");
    if (!known)
        return err_set(p->e, ERR_INVALID, "Unexpected kind: %.*s", STR_ARG(kind));
    rc = need_value(p, op, &value);
    if (rc != 0)
        return rc;
    if (kind.data[0] == 'a')
        return add(p, "add", "add operation does not apply: doc is missing path", &path, *value);
    return kind.data[0] == 'r' ? replace(p, &path, *value) : test(p, &path, value);
}

int patch_json(struct arena *a, const struct json *object, const struct json *patch,
               const struct json **out, struct err *e)
{
    struct patcher p = { .arena = a, .root = *object, .e = e };
    if (patch->type != JSON_ARRAY)
        return err_set(e, ERR_INVALID_ARGUMENT, "a JSON patch is an array of operations");
    if (patch->count > PATCH_OPERATIONS_MAX)
        return err_set(e, ERR_TOO_LARGE,
                       "The allowed maximum operations in a JSON patch is %d, got %u",
                       PATCH_OPERATIONS_MAX, patch->count);
    for (size_t i = 0; i < patch->count; i++) {
        if (patch->u.items[i].type != JSON_OBJECT)
            return err_set(e, ERR_INVALID_ARGUMENT, "operation %zu of the patch is no object", i);
    }
    for (size_t i = 0; i < patch->count; i++) {
        int rc = apply(&p, &patch->u.items[i]);
        if (rc != 0)
            return rc;
    }
    edit_finish(&p.root);
    *out = arena_copy(a, &p.root, sizeof(p.root));
    return 0;
}
