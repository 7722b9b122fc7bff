/*
 * The text grammar of label selectors: a lexer with one token of lookahead and a recursive-descent
 * parser, as upstream's apimachinery/labels. Whether "in" is a keyword or a name depends on where
 * it stands, hence the context argument of next().
 */
#include "api/meta/names.h"
#include "api/meta/selector_internal.h"
#include "base/arena.h"

enum token {
    TOKEN_END,
    TOKEN_ERROR,
    TOKEN_IDENTIFIER,
    TOKEN_COMMA,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_NOT,
    TOKEN_EQUALS,
    TOKEN_NOT_EQUALS,
    TOKEN_GREATER,
    TOKEN_LESS,
    TOKEN_IN,
    TOKEN_NOT_IN
};

/* Where a word is read: between key and operator, or as a key or value. */
enum context { KEY_AND_OPERATOR, VALUES };

struct parser {
    struct arena *arena;
    struct str text;
    size_t at;
    struct err *error;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_special(char c)
{
    return c == '=' || c == '!' || c == '(' || c == ')' || c == ',' || c == '>' || c == '<';
}

/* The longest operator that starts here: at most two characters. */
static enum token special_token(struct parser *p, struct str *literal)
{
    static const struct {
        const char *text;
        enum token token;
    } tokens[] = { { "!=", TOKEN_NOT_EQUALS }, { "==", TOKEN_EQUALS }, { "=", TOKEN_EQUALS },
                   { "!", TOKEN_NOT },         { "(", TOKEN_OPEN },    { ")", TOKEN_CLOSE },
                   { ",", TOKEN_COMMA },       { ">", TOKEN_GREATER }, { "<", TOKEN_LESS } };
    struct str rest = str_slice(p->text, p->at, p->text.len);
    for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
        struct str text = str_from(tokens[i].text);
        if (str_starts(rest, text)) {
            *literal = text;
            p->at += text.len;
            return tokens[i].token;
        }
    }
    return TOKEN_ERROR;
}

static enum token next(struct parser *p, enum context context, struct str *literal)
{
    while (p->at < p->text.len && is_space(p->text.data[p->at]))
        p->at++;
    *literal = (struct str){ 0 };
    if (p->at == p->text.len)
        return TOKEN_END;
    if (is_special(p->text.data[p->at]))
        return special_token(p, literal);
    size_t from = p->at;
    while (p->at < p->text.len && !is_special(p->text.data[p->at]) &&
           !is_space(p->text.data[p->at]))
        p->at++;
    *literal = str_slice(p->text, from, p->at);
    if (context == KEY_AND_OPERATOR && str_eq_c(*literal, "in"))
        return TOKEN_IN;
    if (context == KEY_AND_OPERATOR && str_eq_c(*literal, "notin"))
        return TOKEN_NOT_IN;
    return TOKEN_IDENTIFIER;
}

static enum token peek(struct parser *p, struct str *literal)
{
    size_t at = p->at;
    enum token token = next(p, VALUES, literal);
    p->at = at;
    return token;
}

static int unexpected(struct parser *p, struct str found, const char *expected)
{
    return err_set(p->error, ERR_INVALID_ARGUMENT, "found '%.*s', expected: %s",
                   STR_ARG(str_slice(found, 0, 128)), expected);
}

/* After an opening parenthesis: values up to the closing one. An empty place between commas is the
 * empty string. */
static int parse_list(struct parser *p, struct requirement_draft *r)
{
    struct str literal;
    bool wants_value = true; /* a comma or the parenthesis came last */
    bool first = true;
    for (;;) {
        enum token token = next(p, VALUES, &literal);
        if (token == TOKEN_IDENTIFIER && wants_value) {
            requirement_draft_add(p->arena, r, literal);
            wants_value = false;
        } else if (token == TOKEN_COMMA) {
            if (wants_value)
                requirement_draft_add(p->arena, r, (struct str){ 0 });
            wants_value = true;
        } else if (token == TOKEN_CLOSE) {
            if (wants_value && !first)
                requirement_draft_add(p->arena, r, (struct str){ 0 });
            return 0;
        } else {
            return unexpected(p, literal, wants_value ? "',', ')' or identifier" : "',' or ')'");
        }
        first = false;
    }
}

static int parse_values(struct parser *p, struct requirement_draft *r)
{
    struct str literal;
    if (r->operator== SELECTOR_IN || r->operator== SELECTOR_NOT_IN) {
        if (next(p, VALUES, &literal) != TOKEN_OPEN)
            return unexpected(p, literal, "'('");
        return parse_list(p, r);
    }
    enum token token = peek(p, &literal);
    if (token == TOKEN_END || token == TOKEN_COMMA) {
        requirement_draft_add(p->arena, r, (struct str){ 0 });
        return 0;
    }
    if (next(p, VALUES, &literal) != TOKEN_IDENTIFIER)
        return unexpected(p, literal, "identifier");
    requirement_draft_add(p->arena, r, literal);
    return 0;
}

static int parse_operator(struct parser *p, struct requirement_draft *r)
{
    struct str literal;
    switch (next(p, KEY_AND_OPERATOR, &literal)) {
    case TOKEN_IN:
        r->operator= SELECTOR_IN;
        return 0;
    case TOKEN_NOT_IN:
        r->operator= SELECTOR_NOT_IN;
        return 0;
    case TOKEN_EQUALS:
        r->operator= SELECTOR_EQUALS;
        return 0;
    case TOKEN_NOT_EQUALS:
        r->operator= SELECTOR_NOT_EQUALS;
        return 0;
    case TOKEN_GREATER:
        r->operator= SELECTOR_GREATER;
        return 0;
    case TOKEN_LESS:
        r->operator= SELECTOR_LESS;
        return 0;
    default:
        return unexpected(p, literal, "in, notin, =, ==, !=, gt, lt");
    }
}

static int parse_requirement(struct parser *p, struct requirement_draft *r)
{
    struct str literal;
    enum token token = next(p, VALUES, &literal);
    bool negated = token == TOKEN_NOT;
    if (negated)
        token = next(p, VALUES, &literal);
    if (token != TOKEN_IDENTIFIER)
        return unexpected(p, literal, "identifier");
    r->key = literal;
    struct name_messages messages;
    if (!name_qualified(literal, &messages))
        return requirement_bad_key(p->error, literal, &messages);
    token = peek(p, &literal);
    if (negated || token == TOKEN_END || token == TOKEN_COMMA) {
        r->operator= negated ? SELECTOR_NOT_EXISTS : SELECTOR_EXISTS;
        return 0;
    }
    int rc = parse_operator(p, r);
    return rc < 0 ? rc : parse_values(p, r);
}

int selector_parse(struct arena *a, struct str text, struct selector *out, struct err *e)
{
    struct parser p = { .arena = a, .text = text, .error = e };
    struct selector_draft draft = { 0 };
    struct str literal;
    if (text.len > SELECTOR_BYTES_MAX)
        return err_set(e, ERR_LIMIT, "selector is longer than %u bytes", SELECTOR_BYTES_MAX);
    enum token token = peek(&p, &literal);
    while (token != TOKEN_END) {
        if (token != TOKEN_IDENTIFIER && token != TOKEN_NOT)
            return unexpected(&p, literal,
                              draft.count == 0 ? "!, identifier, or 'end of string'"
                                               : "identifier after ','");
        struct requirement_draft r = { 0 };
        int rc = parse_requirement(&p, &r);
        if (rc == 0)
            rc = selector_draft_add(a, &draft, &r, e);
        if (rc < 0)
            return err_wrap(e, rc, "unable to parse requirement");
        token = next(&p, VALUES, &literal);
        if (token == TOKEN_END)
            break;
        if (token != TOKEN_COMMA)
            return unexpected(&p, literal, "',' or 'end of string'");
        token = peek(&p, &literal);
        if (token == TOKEN_END)
            return unexpected(&p, literal, "identifier after ','");
    }
    selector_draft_finish(&draft, out);
    return 0;
}
