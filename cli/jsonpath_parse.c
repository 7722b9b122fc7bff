/* Templates to nodes (see jsonpath.h). The grammar is that of client-go's parser, character by
 * character: what it takes and what it refuses is what scripts rely on. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "cli/jsonpath.h"
#include "cli/jsonpath_nodes.h"
#include "cli/quoted.h"

#define END_OF_TEXT   (-1)
#define NUMBER_DIGITS 18

struct parser {
    struct arena *arena;
    struct str text;
    size_t at;
    size_t start; /* of what is not consumed yet */
    int depth;
    struct jsonpath_list *root;
    struct jsonpath_list *list; /* the action's, while in one */
    bool inside;
    struct err *e;
};

static int parse_template(struct parser *p);

static int peek(const struct parser *p)
{
    return p->at < p->text.len ? (unsigned char)p->text.data[p->at] : END_OF_TEXT;
}

static int next(struct parser *p)
{
    int c = peek(p);
    p->at += c != END_OF_TEXT;
    return c;
}

static struct str consume(struct parser *p)
{
    struct str s = str_slice(p->text, p->start, p->at);
    p->start = p->at;
    return s;
}

static bool ahead(const struct parser *p, const char *prefix)
{
    return str_starts(str_slice(p->text, p->at, p->text.len), str_from(prefix));
}

static bool is_line_end(int c)
{
    return c == '\r' || c == '\n';
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(int c)
{
    return c == '_' || is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 0x80;
}

static bool is_terminator(int c)
{
    return c == END_OF_TEXT || c == ' ' || c == '\t' || is_line_end(c) ||
           strchr(".,[]$@{}", c) != NULL;
}

static struct jsonpath_node *append(struct parser *p, struct jsonpath_list *list,
                                    enum jsonpath_type type)
{
    list->items =
        arena_grow(p->arena, list->items, list->count, &list->capacity, sizeof *list->items);
    struct jsonpath_node *n = &list->items[list->count++];
    *n = (struct jsonpath_node){ .type = type };
    return n;
}

static int refuse(const struct parser *p, const char *what)
{
    return err_set(p->e, ERR_PARSE, "%s", what);
}

/* A piece of an action as an action of its own: *out are its nodes. */
static int parse_part(const struct parser *p, struct str text, struct jsonpath_list **out)
{
    struct parser part = { .arena = p->arena,
                           .text = str_printf(p->arena, "{%.*s}", STR_ARG(text)),
                           .depth = p->depth + 1,
                           .e = p->e };
    part.root = arena_new(p->arena, struct jsonpath_list);
    if (part.depth > JSONPATH_DEPTH_MAX)
        return err_set(p->e, ERR_LIMIT, "nested deeper than %d", JSONPATH_DEPTH_MAX);
    int rc = parse_template(&part);
    if (rc == 0)
        *out = part.root->items[0].lists[0];
    return rc;
}

/* ---- what stands in brackets ---- */

static int parse_union(struct parser *p, struct str text)
{
    size_t count = 1;
    for (size_t i = 0; i < text.len; i++)
        count += text.data[i] == ',';
    struct jsonpath_list **lists = arena_array(p->arena, count, sizeof *lists);
    struct str one;
    int rc = 0;
    for (size_t i = 0; rc == 0 && str_split(&text, ',', &one); i++) {
        while (one.len > 0 && one.data[0] == ' ')
            one = str_slice(one, 1, one.len);
        while (one.len > 0 && one.data[one.len - 1] == ' ')
            one.len--;
        rc = parse_part(p, str_printf(p->arena, "[%.*s]", STR_ARG(one)), &lists[i]);
    }
    if (rc != 0)
        return rc;
    struct jsonpath_node *n = append(p, p->list, JSONPATH_UNION);
    n->lists = lists;
    n->list_count = count;
    return 0;
}

/* ['name'] is .name, dots in it and all. */
static int parse_key(struct parser *p, struct str name)
{
    struct jsonpath_list *nodes;
    int rc = parse_part(p, str_printf(p->arena, ".%.*s", STR_ARG(name)), &nodes);
    for (size_t i = 0; rc == 0 && i < nodes->count; i++)
        *append(p, p->list, JSONPATH_FIELD) = nodes->items[i];
    return rc;
}

static bool is_index(struct str s)
{
    struct str digits = s.len > 0 && s.data[0] == '-' ? str_slice(s, 1, s.len) : s;
    for (size_t i = 0; i < digits.len; i++)
        if (!is_digit(digits.data[i]))
            return false;
    return true;
}

static int set_param(const struct parser *p, struct str text, struct jsonpath_param *out)
{
    out->known = text.len > 0;
    if (text.len > NUMBER_DIGITS || (text.len > 0 && str_to_i64(text, &out->value) != 0))
        return err_set(p->e, ERR_PARSE, "array index %.*s is not a number", STR_ARG(text));
    return 0;
}

/* "3", "-1", "1:3", ":", "::2". */
static int parse_slice(struct parser *p, struct str text)
{
    struct jsonpath_param params[3] = { { 0 } };
    struct str rest = text;
    struct str part;
    size_t count = 0;
    int rc = 0;
    bool good = text.len > 0;
    while (good && rc == 0 && str_split(&rest, ':', &part)) {
        good = count < 3 && is_index(part);
        if (good)
            rc = set_param(p, part, &params[count++]);
    }
    if (!good && text.len > 0)
        return err_set(p->e, ERR_PARSE, "invalid array index %.*s", STR_ARG(text));
    if (rc == 0 && count < 2)
        params[1] = (struct jsonpath_param){ true, true, params[0].value + 1 };
    if (rc == 0)
        memcpy(append(p, p->list, JSONPATH_SLICE)->params, params, sizeof params);
    return rc;
}

static int parse_array(struct parser *p)
{
    int c;
    do {
        c = next(p);
        if (c == END_OF_TEXT || c == '\n')
            return refuse(p, "unterminated array");
    } while (c != ']');
    struct str text = consume(p);
    text = str_slice(text, 1, text.len - 1);
    if (str_find_char(text, ',', 0) >= 0)
        return parse_union(p, text);
    bool quoted = text.len >= 2 && text.data[0] == '\'' &&
                  str_find_char(text, '\'', 1) == (ptrdiff_t)text.len - 1;
    if (quoted)
        return parse_key(p, str_slice(text, 1, text.len - 1));
    return parse_slice(p, str_eq_c(text, "*") ? str_lit(":") : text);
}

/* ---- filters ---- */

/* Up to the ")" that is in no quotes; then "]". */
static int scan_filter(struct parser *p, struct str *out)
{
    bool begun = false;
    bool ended = false;
    int pair = 0;
    int c;
    for (;;) {
        c = next(p);
        if (c == END_OF_TEXT || c == '\n')
            return refuse(p, "unterminated filter");
        if (c == ')' && begun == ended)
            break;
        if (c != '"' && c != '\'')
            continue;
        if (!begun) {
            begun = true;
            pair = c;
        } else if (p->text.data[p->at - 2] != '\\' && c == pair) {
            ended = true;
        }
    }
    if (next(p) != ']')
        return refuse(p, "unclosed array expect ]");
    *out = consume(p);
    *out = str_slice(*out, 0, out->len - 2);
    return 0;
}

static bool is_operator(char c)
{
    return c == '!' || c == '<' || c == '>' || c == '=';
}

static int parse_filter(struct parser *p)
{
    struct jsonpath_list **sides = arena_array(p->arena, 2, sizeof *sides);
    struct str text;
    p->at += strlen("[?(");
    (void)consume(p); /* the bracket */
    int rc = scan_filter(p, &text);
    if (rc != 0)
        return rc;
    size_t from = 0;
    while (from < text.len && !is_operator(text.data[from]))
        from++;
    size_t to = from;
    while (to < text.len && is_operator(text.data[to]))
        to++;
    bool compares = from > 0 && to > from && to < text.len;
    struct str left = compares ? str_slice(text, 0, from) : text;
    struct str right = compares ? str_slice(text, to, text.len) : str_lit("");
    rc = parse_part(p, left, &sides[0]);
    if (rc == 0)
        rc = parse_part(p, right, &sides[1]);
    if (rc != 0)
        return rc;
    struct jsonpath_node *n = append(p, p->list, JSONPATH_FILTER);
    n->name = compares ? str_slice(text, from, to) : str_lit("exists");
    n->lists = sides;
    n->list_count = 2;
    return 0;
}

/* ---- the rest of an action ---- */

static int parse_field(struct parser *p)
{
    (void)consume(p); /* the dot */
    for (int c = peek(p); c == '\\' || !is_terminator(c); c = peek(p)) {
        (void)next(p);
        if (c == '\\')
            (void)next(p); /* whatever it is, it belongs to the name */
    }
    struct str name = consume(p);
    if (str_eq_c(name, "*")) {
        (void)append(p, p->list, JSONPATH_WILDCARD);
        return 0;
    }
    char *plain = str_dup(p->arena, name);
    size_t len = 0;
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] != '\\')
            plain[len++] = name.data[i];
    append(p, p->list, JSONPATH_FIELD)->name = str_of(plain, len);
    return 0;
}

static int parse_recursive(struct parser *p)
{
    const struct jsonpath_list *list = p->list;
    if (list->count > 0 && list->items[list->count - 1].type == JSONPATH_RECURSIVE)
        return refuse(p, "invalid multiple recursive descent");
    p->at += strlen("..");
    (void)consume(p); /* the dots */
    (void)append(p, p->list, JSONPATH_RECURSIVE);
    return is_word(peek(p)) ? parse_field(p) : 0;
}

static int parse_number(struct parser *p)
{
    const struct json *value;
    (void)next(p); /* a sign, or the first digit */
    while (is_digit(peek(p)) || peek(p) == '.')
        (void)next(p);
    struct str text = consume(p);
    struct str plain = text.data[0] == '+' ? str_slice(text, 1, text.len) : text;
    while (plain.len > 1 && plain.data[0] == '0' && is_digit(plain.data[1]))
        plain = str_slice(plain, 1, plain.len);
    /* ".5" and "5." are numbers for Go. */
    if (plain.len > 1 && plain.data[plain.len - 1] == '.')
        plain.len--;
    bool number = json_parse(p->arena, plain, &value, NULL) == 0 &&
                  (value->type == JSON_INT || value->type == JSON_DOUBLE);
    if (!number)
        return err_set(p->e, ERR_PARSE, "cannot parse number %.*s", STR_ARG(text));
    append(p, p->list, JSONPATH_VALUE)->value = *value;
    return 0;
}

static int parse_word(struct parser *p)
{
    while (!is_terminator(peek(p)))
        (void)next(p);
    struct str word = consume(p);
    if (str_eq_c(word, "true") || str_eq_c(word, "false"))
        append(p, p->list, JSONPATH_VALUE)->value = json_bool(word.len == 4);
    else
        append(p, p->list, JSONPATH_WORD)->name = word;
    return 0;
}

static int parse_quote(struct parser *p, int quote)
{
    int c;
    do {
        c = next(p);
        if (c == END_OF_TEXT || c == '\n')
            return refuse(p, "unterminated quoted string");
    } while (c != quote || p->text.data[p->at - 2] == '\\');
    struct str text = consume(p);
    struct str plain;
    if (!quoted_text(p->arena, text, &plain))
        return err_set(p->e, ERR_PARSE, "unquote string %.*s error invalid syntax", STR_ARG(text));
    append(p, p->list, JSONPATH_VALUE)->value = json_string(plain);
    return 0;
}

static int parse_inside(struct parser *p)
{
    if (ahead(p, "}")) {
        p->at++;
        (void)consume(p); /* the brace */
        p->inside = false;
        return 0;
    }
    if (ahead(p, "[?("))
        return parse_filter(p);
    if (ahead(p, ".."))
        return parse_recursive(p);
    int c = peek(p);
    if (c == END_OF_TEXT || is_line_end(c))
        return refuse(p, "unclosed action");
    if (c == '+' || c == '-' || is_digit(c))
        return parse_number(p);
    if (is_word(c))
        return parse_word(p);
    (void)next(p);
    switch (c) {
    case ' ':
    case '@': /* the object at hand, as is nothing at all */
    case '$':
        (void)consume(p);
        return 0;
    case '[':
        return parse_array(p);
    case '"':
    case '\'':
        return parse_quote(p, c);
    case '.':
        return parse_field(p);
    default:
        return err_set(p->e, ERR_PARSE, "unrecognized character in action: U+%04X '%c'",
                       (unsigned)c, c);
    }
}

static int parse_template(struct parser *p)
{
    int rc = 0;
    while (rc == 0 && (p->inside || p->at < p->text.len)) {
        if (p->inside) {
            rc = parse_inside(p);
            continue;
        }
        ptrdiff_t brace = str_find_char(p->text, '{', p->at);
        p->at = brace < 0 ? p->text.len : (size_t)brace;
        if (p->at > p->start)
            append(p, p->root, JSONPATH_VALUE)->value = json_string(consume(p));
        if (brace < 0)
            break;
        p->at++;
        (void)consume(p);
        struct jsonpath_node *action = append(p, p->root, JSONPATH_LIST);
        action->lists = arena_new(p->arena, struct jsonpath_list *);
        action->lists[0] = arena_new(p->arena, struct jsonpath_list);
        action->list_count = 1;
        p->list = action->lists[0];
        p->inside = true;
    }
    return rc;
}

int jsonpath_parse(struct arena *a, struct str text, const struct jsonpath **out, struct err *e)
{
    struct jsonpath *result = arena_new(a, struct jsonpath);
    struct parser p = { .arena = a, .text = text, .root = &result->root, .e = e };
    if (text.len > JSONPATH_BYTES_MAX)
        return err_set(e, ERR_LIMIT, "longer than %u bytes", JSONPATH_BYTES_MAX);
    int rc = parse_template(&p);
    if (rc == 0)
        *out = result;
    return rc;
}

int jsonpath_relaxed(struct arena *a, struct str text, struct str *out, struct err *e)
{
    struct str inner = text;
    bool braces = text.len >= 2 && text.data[0] == '{' && text.data[text.len - 1] == '}';
    if (text.len == 0) {
        *out = text;
        return 0;
    }
    if (braces)
        inner = str_slice(text, 1, text.len - 1);
    if (inner.len > 1 && inner.data[0] == '.')
        inner = str_slice(inner, 1, inner.len);
    if (inner.len == 0 || str_find_char(inner, '{', 0) >= 0 || str_find_char(inner, '}', 0) >= 0)
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "unexpected path string, expected a 'name1.name2' or '.name1.name2' or "
                       "'{name1.name2}' or '{.name1.name2}'");
    *out = str_printf(a, "{.%.*s}", STR_ARG(inner));
    return 0;
}
