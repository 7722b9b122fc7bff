/*
 * Looking fields up in the text of a set. Most writes change fields that their manager has already
 * and nobody else: then no set has to be built of what is stored. The text is one of ours, so an
 * element has one spelling; whatever looks otherwise is left to the parser.
 */
#include <string.h>

#include "api/patch/field_element.h"
#include "base/buf.h"

/* Nodes of one level looked for; more are faster found in a set. */
#define NODES_MAX 16

struct scan {
    const char *at;
    const char *end;
    struct buf element;
    struct buf scratch;
    size_t found;   /* members */
    size_t missing; /* members, or whole nodes */
    bool unsure;
};

static bool take(struct scan *c, char want)
{
    if (c->at == c->end || *c->at != want) {
        return false;
    }
    c->at++;
    return true;
}

/* The quoted text at the cursor, quotes included; escapes are passed over, not understood. */
static bool take_key(struct scan *c, struct str *out)
{
    const char *from = c->at;
    if (!take(c, '"'))
        return false;
    while (c->at < c->end && *c->at != '"')
        c->at += *c->at == '\\' && c->end - c->at > 1 ? 2 : 1;
    if (!take(c, '"'))
        return false;
    *out = str_of(from, (size_t)(c->at - from));
    return true;
}

/* Past an object, whatever is in it. */
static bool skip(struct scan *c)
{
    struct str key;
    size_t depth = 0;
    do {
        if (c->at == c->end)
            return false;
        if (*c->at == '"') {
            if (!take_key(c, &key))
                return false;
            continue;
        }
        if (*c->at == '{')
            depth++;
        else if (*c->at == '}')
            depth--;
        else if (*c->at != ':' && *c->at != ',')
            return false;
        c->at++;
    } while (depth > 0);
    return true;
}

static bool is_element(struct scan *c, struct str key, const struct field_element *e)
{
    /* "f:name", the frequent case, when nothing is escaped. */
    if (e->type == FIELD_NAME && key.len == e->name.len + 4 && key.data[1] == 'f')
        return memcmp(key.data + 3, e->name.data, e->name.len) == 0;
    if (e->type == FIELD_NAME && memchr(key.data, '\\', key.len) == NULL)
        return false;
    buf_clear(&c->element);
    field_element_write(&c->element, &c->scratch, e);
    return str_eq(buf_str(&c->element), key);
}

static const struct field_node *node_of(struct scan *c, const struct field_set *s, struct str key,
                                        size_t *next)
{
    for (size_t i = 0; i < s->count; i++) {
        size_t at = (*next + i) % s->count; /* both are sorted: the next one is the likely one */
        if (is_element(c, key, &s->nodes[at].element)) {
            *next = at + 1;
            return &s->nodes[at];
        }
    }
    return NULL;
}

static bool scan_set(struct scan *c, const struct field_set *s, bool *out_member);

static bool scan_value(struct scan *c, const struct field_node *n)
{
    bool member = false;
    if (!scan_set(c, &n->below, &member))
        return false;
    if (n->member && member)
        c->found++;
    else if (n->member)
        c->missing++;
    return true;
}

/* One object of the text, and what is looked for in it. Depth is bounded by that of s. */
static bool scan_set(struct scan *c, const struct field_set *s, bool *out_member)
{
    size_t matched = 0;
    size_t next = 0;
    size_t members = 0;
    bool self = false;
    if (s->count > NODES_MAX || !take(c, '{'))
        return false;
    while (!take(c, '}')) {
        struct str key;
        if ((members++ > 0 && !take(c, ',')) || !take_key(c, &key) || !take(c, ':'))
            return false;
        bool dot = str_eq_c(key, "\".\"");
        const struct field_node *n = dot ? NULL : node_of(c, s, key, &next);
        self = self || dot;
        matched += n != NULL ? 1 : 0;
        if (!(n != NULL ? scan_value(c, n) : skip(c)))
            return false;
    }
    c->missing += s->count - matched;
    *out_member = self || members == 0;
    return true;
}

enum field_text field_text_has(struct str text, const struct field_set *s)
{
    struct scan c = { .at = text.data, .end = text.data + text.len };
    bool member = false;
    if (s->count == 0)
        return FIELD_TEXT_NONE;
    buf_init(&c.element);
    buf_init(&c.scratch);
    bool read = scan_set(&c, s, &member) && c.at == c.end;
    buf_deinit(&c.element);
    buf_deinit(&c.scratch);
    if (!read)
        return FIELD_TEXT_UNSURE;
    return c.found == 0 ? FIELD_TEXT_NONE : c.missing == 0 ? FIELD_TEXT_ALL : FIELD_TEXT_SOME;
}
