/*
 * JSON patch as upstream's library has it: RFC 6902, all or nothing, and where that is strict the
 * library is not. What lies before a pointer's first slash is nothing; "~" stands for itself where
 * it escapes nothing; an index may be signed, a negative one counts from the end; "replace" of a
 * member that is not there adds it, "copy" of one adds null, and a value left out is null.
 */
#include <string.h>

#include "api/patch/edit.h"
#include "api/patch/patch.h"
#include "api/schema/quote.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* Pointers deeper than any tree we parse point nowhere. */
#define TOKENS_MAX JSON_DEPTH_MAX
/* Members compared, and items moved or looked at, by all operations: bounds what they can cost on
 * a huge object, to some hundredths of a second of a loop that others wait for. One operation
 * costs no more than a few walks over the object. */
#define WORK_MAX 20000000u
/* Items moved in the time in which one member is compared. */
#define ITEMS_PER_MEMBER 8

struct pointer {
    struct str text;
    struct str tokens[TOKENS_MAX];
    size_t count; /* 0: it points nowhere, or at the whole document */
};

struct patcher {
    struct arena *arena;
    struct json root;
    size_t copied;
    uint64_t work;
    struct err *e;
};

/* ---- pointers ---- */

static struct str unescape(struct patcher *p, struct str raw)
{
    if (raw.len == 0 || memchr(raw.data, '~', raw.len) == NULL)
        return raw;
    char *text = arena_alloc(p->arena, raw.len);
    size_t len = 0;
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.data[i];
        char next = i + 1 < raw.len ? raw.data[i + 1] : '\0';
        if (c == '~' && (next == '0' || next == '1')) {
            c = next == '0' ? '~' : '/';
            i++;
        }
        text[len++] = c;
    }
    return str_of(text, len);
}

static void parse_pointer(struct patcher *p, struct str text, struct pointer *out)
{
    struct str rest = text;
    out->text = text;
    out->count = 0;
    for (ptrdiff_t at = str_find_char(rest, '/', 0); at >= 0; at = str_find_char(rest, '/', 0)) {
        rest = str_slice(rest, (size_t)at + 1, rest.len);
        ptrdiff_t end = str_find_char(rest, '/', 0);
        if (out->count == TOKENS_MAX) {
            out->count = 0;
            return;
        }
        out->tokens[out->count++] = unescape(p, end < 0 ? rest : str_slice(rest, 0, (size_t)end));
    }
}

static struct str last_token(const struct pointer *at)
{
    return at->tokens[at->count - 1];
}

/* ---- indexes ---- */

/* As Go's strconv.Atoi: a sign, leading zeros. -ERR_PARSE, -ERR_LIMIT: no int64. */
static int parse_number(struct str token, int64_t *out)
{
    char text[64];
    size_t zeros = 0;
    bool sign = token.len > 0 && (token.data[0] == '-' || token.data[0] == '+');
    struct str digits = str_slice(token, sign ? 1 : 0, token.len);
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9')
            return -ERR_PARSE;
    }
    if (digits.len == 0)
        return -ERR_PARSE;
    while (zeros + 1 < digits.len && digits.data[zeros] == '0')
        zeros++;
    digits = str_slice(digits, zeros, digits.len);
    if (digits.len + 2 > sizeof(text))
        return -ERR_LIMIT;
    size_t len = 0;
    if (token.data[0] == '-' && digits.data[0] != '0')
        text[len++] = '-';
    memcpy(text + len, digits.data, digits.len);
    return str_to_i64(str_of(text, len + digits.len), out) == 0 ? 0 : -ERR_LIMIT;
}

/* An index of count places; a negative one counts from the end. -ERR_NOT_FOUND: beyond them. */
static int parse_index(struct str token, size_t count, size_t *out)
{
    int64_t value = 0;
    int rc = parse_number(token, &value);
    if (rc != 0)
        return rc;
    value = value < 0 ? value + (int64_t)count : value;
    if (value < 0 || value >= (int64_t)count)
        return -ERR_NOT_FOUND;
    *out = (size_t)value;
    return 0;
}

/* Go's words for why a token is no index. */
static struct str index_problem(struct patcher *p, struct str token, int rc)
{
    struct buf b;
    int64_t value = 0;
    buf_init(&b);
    if (rc == -ERR_NOT_FOUND) {
        (void)parse_number(token, &value); /* it was one */
        buf_printf(&b, "Unable to access invalid index: %lld: invalid index referenced",
                   (long long)value);
    } else {
        buf_append_c(&b, "strconv.Atoi: parsing ");
        quote_write(&b, token);
        buf_append_c(&b, rc == -ERR_LIMIT ? ": value out of range" : ": invalid syntax");
    }
    struct str text = str_copy(p->arena, buf_str(&b));
    buf_deinit(&b);
    return text;
}

/* ---- places ---- */

/* Work on one container: members are compared, items only move. */
static void spend(struct patcher *p, const struct json *container)
{
    p->work +=
        container->type == JSON_OBJECT ? container->count : container->count / ITEMS_PER_MEMBER;
}

/* The container that holds the place, for looking only: a test copies nothing. NULL: nowhere. */
static const struct json *look(struct patcher *p, const struct pointer *at)
{
    const struct json *node = at->count == 0 ? NULL : &p->root;
    size_t index;
    for (size_t i = 0; i + 1 < at->count && node != NULL; i++) {
        if (node->type == JSON_OBJECT)
            spend(p, node);
        if (node->type == JSON_OBJECT)
            node = json_get(node, at->tokens[i]);
        else if (node->type == JSON_ARRAY && parse_index(at->tokens[i], node->count, &index) == 0)
            node = &node->u.items[index];
        else
            node = NULL;
    }
    return node == NULL || node->type < JSON_ARRAY ? NULL : node;
}

/* As above for changing. */
static struct json *walk(struct patcher *p, const struct pointer *at)
{
    struct json *node = look(p, at) == NULL ? NULL : &p->root;
    size_t index;
    for (size_t i = 0; i + 1 < at->count && node != NULL; i++) {
        if (node->type == JSON_OBJECT)
            node = edit_member(p->arena, node, at->tokens[i]);
        else if (parse_index(at->tokens[i], node->count, &index) == 0)
            node = edit_item(p->arena, node, index);
        else
            node = NULL;
    }
    return node;
}

/* The value at a place of its container; NULL: an object has no such member. */
static int get(struct patcher *p, const struct json *container, const struct pointer *at,
               const struct json **out, struct str *why)
{
    size_t index = 0;
    if (container->type == JSON_OBJECT) {
        spend(p, container);
        *out = json_get(container, last_token(at));
        return 0;
    }
    int rc = parse_index(last_token(at), container->count, &index);
    if (rc != 0) {
        *why = index_problem(p, last_token(at), rc);
        return rc;
    }
    *out = &container->u.items[index];
    return 0;
}

static int refuse(struct patcher *p, const char *format, struct str path, struct str why)
{
    return err_set(p->e, ERR_INVALID, format, STR_ARG(path), STR_ARG(why));
}

static const struct str missing = STR("missing value");

/* ---- operations ---- */

static int put(struct patcher *p, struct json *container, const struct pointer *at,
               struct json value, struct str *why)
{
    size_t index = 0;
    struct str last = last_token(at);
    spend(p, container);
    if (at->count + edit_depth(&value, &p->work) > JSON_DEPTH_MAX) {
        *why = str_printf(p->arena, "the value nests deeper than %d", JSON_DEPTH_MAX);
        return -ERR_INVALID;
    }
    if (container->type == JSON_OBJECT) {
        edit_put(p->arena, container, last, value);
        return 0;
    }
    bool append = str_eq_c(last, "-");
    int rc = append ? 0 : parse_index(last, (size_t)container->count + 1, &index);
    if (rc != 0) {
        *why = index_problem(p, last, rc);
        if (rc != -ERR_NOT_FOUND)
            *why = str_printf(p->arena, "value was not a proper array index: '%.*s': %.*s",
                              STR_ARG(last), STR_ARG(*why));
        return rc;
    }
    edit_insert(p->arena, container, append ? container->count : index, value);
    return 0;
}

static int take(struct patcher *p, struct json *container, const struct pointer *at,
                struct str *why)
{
    size_t index = 0;
    struct str last = last_token(at);
    spend(p, container);
    if (container->type == JSON_OBJECT) {
        if (edit_drop(p->arena, container, last))
            return 0;
        *why = str_printf(p->arena, "Unable to remove nonexistent key: %.*s: missing value",
                          STR_ARG(last));
        return -ERR_NOT_FOUND;
    }
    int rc = parse_index(last, container->count, &index);
    if (rc != 0) {
        *why = index_problem(p, last, rc);
        return rc;
    }
    edit_erase(p->arena, container, index);
    return 0;
}

static int add(struct patcher *p, const struct pointer *at, struct json value)
{
    struct str why;
    struct json *container = walk(p, at);
    if (container == NULL)
        return refuse(p, "add operation does not apply: doc is missing path: \"%.*s\": %.*s",
                      at->text, missing);
    if (put(p, container, at, value, &why) != 0)
        return refuse(p, "error in add for path: '%.*s': %.*s", at->text, why);
    return 0;
}

static int drop(struct patcher *p, const struct pointer *at)
{
    struct str why;
    struct json *container = walk(p, at);
    if (container == NULL)
        return refuse(p, "remove operation does not apply: doc is missing path: \"%.*s\": %.*s",
                      at->text, missing);
    if (take(p, container, at, &why) != 0)
        return refuse(p, "error in remove for path: '%.*s': %.*s", at->text, why);
    return 0;
}

static int replace(struct patcher *p, const struct pointer *at, struct json value)
{
    struct str why;
    const struct json *old = NULL;
    if (at->text.len == 0) {
        if (value.type < JSON_ARRAY)
            return err_set(p->e, ERR_INVALID, "replace operation value must be object or array");
        p->root = value;
        return 0;
    }
    struct json *container = walk(p, at);
    if (container == NULL)
        return refuse(p, "replace operation does not apply: doc is missing path: %.*s: %.*s",
                      at->text, missing);
    if (get(p, container, at, &old, &why) != 0)
        return refuse(p, "replace operation does not apply: doc is missing key: %.*s: %.*s",
                      at->text, missing);
    if (at->count + edit_depth(&value, &p->work) > JSON_DEPTH_MAX)
        return err_set(p->e, ERR_INVALID, "the value nests deeper than %d", JSON_DEPTH_MAX);
    if (old == NULL || container->type == JSON_OBJECT)
        edit_put(p->arena, container, last_token(at), value);
    else
        *edit_item(p->arena, container, (size_t)(old - container->u.items)) = value;
    return 0;
}

static int move(struct patcher *p, const struct pointer *from, const struct pointer *to)
{
    struct str why;
    const struct json *source = NULL;
    struct json *container = walk(p, from);
    if (container == NULL)
        return refuse(p, "move operation does not apply: doc is missing from path: %.*s: %.*s",
                      from->text, missing);
    int rc = get(p, container, from, &source, &why);
    struct json value = rc == 0 && source != NULL ? *source : json_null;
    rc = rc == 0 ? take(p, container, from, &why) : rc;
    if (rc != 0)
        return refuse(p, "error in move for path: '%.*s': %.*s", last_token(from), why);
    container = walk(p, to);
    if (container == NULL)
        return refuse(p,
                      "move operation does not apply: doc is missing destination path: %.*s: %.*s",
                      to->text, missing);
    if (put(p, container, to, value, &why) != 0)
        return refuse(p, "error in move for path: '%.*s': %.*s", to->text, why);
    return 0;
}

static int copy(struct patcher *p, const struct pointer *from, const struct pointer *to)
{
    struct str why;
    const struct json *source = NULL;
    const struct json *container = look(p, from);
    if (container == NULL)
        return refuse(p, "copy operation does not apply: doc is missing from path: %.*s: %.*s",
                      from->text, missing);
    if (get(p, container, from, &source, &why) != 0)
        return refuse(p, "error in copy for from: '%.*s': %.*s", from->text, why);
    if (look(p, to) == NULL)
        return refuse(p,
                      "copy operation does not apply: doc is missing destination path: %.*s: %.*s",
                      to->text, missing);
    struct json value = source == NULL ? json_null : edit_copy(p->arena, source, &p->copied);
    if (p->copied > PATCH_COPY_BYTES_MAX)
        return err_set(p->e, ERR_INVALID,
                       "Unable to complete the copy, the accumulated size increase of copy is "
                       "%zu, exceeding the limit %u",
                       p->copied, PATCH_COPY_BYTES_MAX);
    if (put(p, walk(p, to), to, value, &why) != 0)
        return err_set(p->e, ERR_INVALID, "error while adding value during copy: %.*s",
                       STR_ARG(why));
    return 0;
}

static int test(struct patcher *p, const struct pointer *at, const struct json *value)
{
    struct str why;
    const struct json *found = &p->root;
    if (at->text.len > 0) {
        const struct json *container = look(p, at);
        if (container == NULL)
            return refuse(p, "test operation does not apply: is missing path: %.*s: %.*s", at->text,
                          missing);
        if (get(p, container, at, &found, &why) != 0)
            return refuse(p, "error in test for path: '%.*s': %.*s", at->text, why);
    }
    found = found == NULL ? &json_null : found;
    if (json_equal(found, value))
        return 0;
    return refuse(p, "testing value %.*s failed: %.*s", at->text, str_lit("test failed"));
}

/* ---- the patch ---- */

static int need_pointer(struct patcher *p, const struct json *op, const char *member,
                        struct pointer *out)
{
    struct str kind = json_str(json_get_c(op, "op"));
    const struct json *text = json_get_c(op, member);
    if (text == NULL || text->type != JSON_STRING)
        return err_set(p->e, ERR_INVALID, "%.*s operation failed to decode %s: missing value",
                       STR_ARG(kind), member);
    parse_pointer(p, json_str(text), out);
    return 0;
}

static int apply_two(struct patcher *p, const struct json *op, bool moves)
{
    struct pointer path;
    struct pointer from;
    int rc = need_pointer(p, op, "from", &from);
    rc = rc == 0 ? need_pointer(p, op, "path", &path) : rc;
    if (rc != 0)
        return rc;
    return moves ? move(p, &from, &path) : copy(p, &from, &path);
}

static int apply(struct patcher *p, const struct json *op)
{
    struct pointer path;
    const struct json *given = json_get_c(op, "value");
    const struct json *value = given == NULL ? &json_null : given;
    const struct json *kind = json_get_c(op, "op");
    struct str name =
        kind == NULL || kind->type != JSON_STRING ? str_lit("unknown") : json_str(kind);
    bool moves = str_eq_c(name, "move");
    if (moves || str_eq_c(name, "copy"))
        return apply_two(p, op, moves);
    bool known = str_eq_c(name, "add") || str_eq_c(name, "remove") || str_eq_c(name, "replace") ||
                 str_eq_c(name, "test");
    if (!known)
        return err_set(p->e, ERR_INVALID, "Unexpected kind: %.*s", STR_ARG(name));
    int rc = need_pointer(p, op, "path", &path);
    if (rc != 0)
        return rc;
    if (str_eq_c(name, "test"))
        return test(p, &path, value);
    if (str_eq_c(name, "remove"))
        return drop(p, &path);
    return str_eq_c(name, "add") ? add(p, &path, *value) : replace(p, &path, *value);
}

int patch_json(struct arena *a, const struct json *object, const struct json *patch,
               const struct json **out, struct err *e)
{
    struct patcher p = { .arena = a, .root = *object, .e = e };
    if (patch->type != JSON_ARRAY)
        return err_set(e, ERR_INVALID_ARGUMENT, "a JSON patch is an array of operations");
    if (patch->count > PATCH_OPERATIONS_MAX)
        return err_set(e, ERR_TOO_LARGE,
                       "Request entity is too large: The allowed maximum operations in a JSON "
                       "patch is %d, got %u",
                       PATCH_OPERATIONS_MAX, patch->count);
    for (size_t i = 0; i < patch->count; i++) {
        uint8_t type = patch->u.items[i].type;
        if (type != JSON_OBJECT && type != JSON_NULL)
            return err_set(e, ERR_INVALID_ARGUMENT, "operation %zu of the patch is no object", i);
    }
    for (size_t i = 0; i < patch->count; i++) {
        int rc = apply(&p, &patch->u.items[i]);
        if (rc == 0 && p.work > WORK_MAX)
            rc = err_set(e, ERR_TOO_LARGE, "the patch and the object are too large to merge");
        if (rc != 0)
            return rc;
    }
    edit_finish(&p.root);
    *out = arena_copy(a, &p.root, sizeof(p.root));
    return 0;
}
