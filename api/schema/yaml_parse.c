/*
 * libyaml's events → JSON tree.
 *
 * Recursive over collections within JSON_DEPTH_MAX. Nodes are immutable, so an alias is its
 * anchor's node again; what it would expand to is counted, because readers of the tree walk it.
 */
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "api/schema/quote.h"
#include "api/schema/yaml.h"
#include "api/schema/yaml_directives.h"
#include "api/schema/yaml_scalar.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct anchor {
    const char *name;
    struct json value;
    size_t nodes; /* of the whole value */
    size_t bytes; /* of its scalars */
};

/* Where a member came from: the line of its value, its place among all, the look of its key. */
struct origin {
    size_t line;
    size_t sequence;
    bool text_key;
};

/* A key that was there before. */
struct finding {
    size_t sequence;
    const char *text;
};

struct yaml_reader {
    struct arena *arena;
    yaml_parser_t parser;
    struct anchor *anchors; /* by name */
    size_t anchor_count;
    size_t anchor_capacity;
    size_t nodes_max;
    size_t nodes;
    size_t bytes;   /* of scalars, aliases included */
    size_t aliased; /* of that: by aliases */
    bool plain;     /* the last scalar was plain and untagged: "<<" is a merge key only then */
    struct yaml_duplicates *duplicates; /* NULL: they stay in the tree */
    struct origin *origins;             /* of what stands on the stack; only with duplicates */
    struct finding *findings;
    size_t finding_count;
    size_t finding_capacity;
    size_t sequence; /* of members read */
    struct json_member *stack;
    size_t used;
    size_t capacity;
    struct err *e;
};

static int read_node(struct yaml_reader *r, yaml_event_t *event, int depth, struct json *out);

/* As go-yaml counts lines: from 0 but for what the scanner finds, and without a number for 0. */
static int malformed(struct yaml_reader *r)
{
    const yaml_parser_t *p = &r->parser;
    const char *problem = p->problem == NULL ? "unknown problem parsing YAML content" : p->problem;
    size_t line = p->problem_mark.line;
    if (line != 0 && p->error == YAML_SCANNER_ERROR)
        line++;
    else if (line == 0)
        line = p->context_mark.line;
    if (line == 0)
        return err_set(r->e, ERR_PARSE, "yaml: %s", problem);
    return err_set(r->e, ERR_PARSE, "yaml: line %zu: %s", line, problem);
}

static int next_event(struct yaml_reader *r, yaml_event_t *event)
{
    if (yaml_parser_parse(&r->parser, event) != 0)
        return 0;
    memset(event, 0, sizeof(*event));
    return malformed(r);
}

static void push(struct yaml_reader *r, struct str key, struct json value)
{
    if (r->used == r->capacity) {
        r->capacity = r->capacity == 0 ? 64 : r->capacity * 2;
        r->stack = mem_realloc(r->stack, r->capacity * sizeof(*r->stack));
        if (r->duplicates != NULL)
            r->origins = mem_realloc(r->origins, r->capacity * sizeof(*r->origins));
    }
    if (r->duplicates != NULL)
        r->origins[r->used] = (struct origin){ .sequence = r->sequence++ };
    r->stack[r->used++] = (struct json_member){ key, value };
}

static int count_nodes(struct yaml_reader *r, size_t nodes)
{
    r->nodes += nodes;
    if (r->nodes > r->nodes_max)
        return err_set(r->e, ERR_LIMIT, "yaml: document contains excessive aliasing or nodes");
    return 0;
}

/* Where an anchor of this name is or would be. */
static size_t anchor_place(const struct yaml_reader *r, const char *name, bool *found)
{
    size_t from = 0;
    size_t to = r->anchor_count;
    *found = false;
    while (from < to && !*found) {
        size_t middle = from + (to - from) / 2;
        int order = strcmp(name, r->anchors[middle].name);
        *found = order == 0;
        from = order > 0 ? middle + 1 : *found ? middle : from;
        to = order < 0 ? middle : to;
    }
    return from;
}

/* A name that comes again means the newer value from here on. */
static int keep_anchor(struct yaml_reader *r, const yaml_char_t *name, const struct anchor *value)
{
    bool found;
    if (name == NULL)
        return 0;
    size_t at = anchor_place(r, (const char *)name, &found);
    if (!found && r->anchor_count >= YAML_ANCHORS_MAX)
        return err_set(r->e, ERR_LIMIT, "yaml: more than %u anchors", YAML_ANCHORS_MAX);
    if (!found) {
        r->anchors = arena_grow(r->arena, r->anchors, r->anchor_count, &r->anchor_capacity,
                                sizeof(*r->anchors));
        memmove(&r->anchors[at + 1], &r->anchors[at], (r->anchor_count - at) * sizeof(*r->anchors));
        r->anchors[at].name = str_dup(r->arena, str_from((const char *)name));
        r->anchor_count++;
    }
    const char *kept = r->anchors[at].name;
    r->anchors[at] = *value;
    r->anchors[at].name = kept;
    return 0;
}

static int read_alias(struct yaml_reader *r, const yaml_event_t *event, struct json *out)
{
    const char *name = (const char *)event->data.alias.anchor;
    bool found;
    size_t at = anchor_place(r, name, &found);
    if (!found)
        return err_set(r->e, ERR_PARSE, "yaml: unknown anchor '%s' referenced", name);
    *out = r->anchors[at].value;
    r->bytes += r->anchors[at].bytes;
    r->aliased += r->anchors[at].bytes;
    if (r->aliased > YAML_ALIASED_BYTES_MAX)
        return err_set(r->e, ERR_LIMIT, "yaml: document contains excessive aliasing");
    return count_nodes(r, r->anchors[at].nodes);
}

static int read_scalar(struct yaml_reader *r, const yaml_event_t *event, struct json *out)
{
    struct str text =
        str_copy(r->arena, str_of(event->data.scalar.value, event->data.scalar.length));
    r->bytes += text.len;
    const char *tag = (const char *)event->data.scalar.tag;
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    r->plain = plain && tag == NULL;
    bool resolve = tag == NULL ? plain : strcmp(tag, "tag:yaml.org,2002:str") != 0;
    if (tag != NULL && strcmp(tag, "!") == 0)
        resolve = false;
    *out = json_string(text);
    if (tag != NULL && strcmp(tag, "tag:yaml.org,2002:binary") == 0) {
        if (str_base64_decode(r->arena, text, &text) != 0)
            return err_set(r->e, ERR_PARSE, "yaml: !!binary value contains invalid base64 data");
        *out = json_string(text);
        return 0;
    }
    if (resolve)
        *out = yaml_resolve(r->arena, text);
    return 0;
}

/* The next event and the node it starts; *end when it closes the collection instead. *line: where
 * it starts. */
static int read_next(struct yaml_reader *r, yaml_event_type_t closing, int depth, struct json *out,
                     bool *end, size_t *line)
{
    yaml_event_t event;
    int rc = next_event(r, &event);
    if (rc != 0)
        return rc;
    *line = event.start_mark.line + 1;
    *end = event.type == closing;
    rc = *end ? 0 : read_node(r, &event, depth, out);
    yaml_event_delete(&event);
    return rc;
}

static int read_sequence(struct yaml_reader *r, int depth, struct json *out)
{
    size_t base = r->used;
    for (;;) {
        struct json item;
        bool end = false;
        size_t line;
        int rc = read_next(r, YAML_SEQUENCE_END_EVENT, depth + 1, &item, &end, &line);
        if (rc != 0)
            return rc;
        if (end)
            break;
        push(r, (struct str){ 0 }, item);
    }
    size_t count = r->used - base;
    struct json *items = arena_array(r->arena, count, sizeof(*items));
    for (size_t i = 0; i < count; i++)
        items[i] = r->stack[base + i].value;
    r->used = base;
    *out = json_array(items, count);
    return 0;
}

static int key_text(struct yaml_reader *r, const struct json *key, struct str *out)
{
    struct buf text;
    if (key->type == JSON_STRING) {
        *out = json_str(key);
        return 0;
    }
    if (key->type >= JSON_ARRAY)
        return err_set(r->e, ERR_PARSE, "yaml: invalid map key");
    buf_init(&text);
    json_write(&text, key, false);
    *out = str_copy(r->arena, buf_str(&text));
    buf_deinit(&text);
    return 0;
}

struct slot {
    struct json_member member;
    struct origin origin;
};

static int slot_cmp(const void *x, const void *y)
{
    const struct slot *a = x;
    const struct slot *b = y;
    int order = str_cmp(a->member.key, b->member.key);
    if (order != 0)
        return order;
    return a->origin.sequence < b->origin.sequence ? -1 : a->origin.sequence > b->origin.sequence;
}

/* ---- merged maps ---- */

static bool is_mergeable(const struct json *value)
{
    bool maps = value->type == JSON_OBJECT || value->type == JSON_ARRAY;
    for (size_t i = 0; value->type == JSON_ARRAY && i < value->count && maps; i++)
        maps = is_mergeable(&value->u.items[i]);
    return maps;
}

/* All members that are to be merged, in order: counted, and kept when there is where. */
static size_t gather(const struct json *value, struct json_member *out)
{
    size_t count = value->type == JSON_OBJECT ? value->count : 0;
    for (size_t i = 0; out != NULL && i < count; i++)
        out[i] = value->u.members[i];
    for (size_t i = 0; value->type == JSON_ARRAY && i < value->count; i++)
        count += gather(&value->u.items[i], out == NULL ? NULL : out + count);
    return count;
}

/* Marks the first of each key that the map itself has not. */
static void mark_new(const struct yaml_reader *r, size_t base, const struct json_member *given,
                     size_t count, bool *is_new)
{
    size_t own = r->used - base;
    struct slot *slots = mem_alloc((own + count) * sizeof(*slots));
    for (size_t i = 0; i < own + count; i++) {
        slots[i].member = i < own ? r->stack[base + i] : given[i - own];
        slots[i].origin = (struct origin){ .sequence = i };
    }
    qsort(slots, own + count, sizeof(*slots), slot_cmp);
    for (size_t i = 0; i < own + count; i++) {
        bool first = i == 0 || !str_eq(slots[i - 1].member.key, slots[i].member.key);
        if (first && slots[i].origin.sequence >= own)
            is_new[slots[i].origin.sequence - own] = true;
    }
    mem_free(slots);
}

static int merge_maps(struct yaml_reader *r, size_t base, const struct json *value)
{
    if (!is_mergeable(value))
        return err_set(r->e, ERR_PARSE,
                       "yaml: map merge requires map or sequence of maps as the value");
    size_t count = gather(value, NULL);
    int rc = count_nodes(r, count);
    if (rc != 0 || count == 0)
        return rc;
    struct json_member *given = arena_array(r->arena, count, sizeof(*given));
    bool *is_new = arena_array(r->arena, count, sizeof(*is_new));
    (void)gather(value, given);
    mark_new(r, base, given, count, is_new);
    for (size_t i = 0; i < count; i++) {
        if (is_new[i])
            push(r, given[i].key, given[i].value);
    }
    return 0;
}

/* ---- mappings ---- */

static void note_origin(struct yaml_reader *r, size_t line, bool text_key)
{
    if (r->duplicates == NULL)
        return;
    r->origins[r->used - 1].line = line;
    r->origins[r->used - 1].text_key = text_key;
}

static int read_members(struct yaml_reader *r, int depth, size_t base)
{
    struct json merged = { .type = JSON_NULL };
    bool merge = false;
    for (;;) {
        struct json key;
        struct json value;
        struct str name;
        bool end = false;
        size_t line;
        int rc = read_next(r, YAML_MAPPING_END_EVENT, depth + 1, &key, &end, &line);
        if (rc != 0)
            return rc;
        if (end)
            break;
        bool merge_key = r->plain && str_eq_c(json_str(&key), "<<");
        rc = key_text(r, &key, &name);
        if (rc == 0)
            rc = read_next(r, YAML_NO_EVENT, depth + 1, &value, &end, &line);
        if (rc != 0)
            return rc;
        if (merge_key) {
            merged = value;
            merge = true;
        } else {
            push(r, name, value);
            note_origin(r, line, key.type == JSON_STRING);
        }
    }
    return merge ? merge_maps(r, base, &merged) : 0;
}

/* ---- duplicates ---- */

static void found_again(struct yaml_reader *r, const struct slot *slot)
{
    struct buf text;
    if (r->finding_count >= YAML_DUPLICATES_MAX)
        return;
    buf_init(&text);
    buf_printf(&text, "line %zu: key ", slot->origin.line);
    if (slot->origin.text_key)
        quote_write(&text, slot->member.key);
    else
        buf_append_str(&text, slot->member.key);
    buf_append_c(&text, " already set in map");
    r->findings = arena_grow(r->arena, r->findings, r->finding_count, &r->finding_capacity,
                             sizeof(*r->findings));
    r->findings[r->finding_count++] = (struct finding){ .sequence = slot->origin.sequence,
                                                        .text = str_dup(r->arena, buf_str(&text)) };
    buf_deinit(&text);
}

/* Sorts the members above base; of equal keys the last stays. */
static void settle(struct yaml_reader *r, size_t base)
{
    size_t count = r->used - base;
    struct slot *slots = mem_alloc(count * sizeof(*slots));
    for (size_t i = 0; i < count; i++)
        slots[i] = (struct slot){ r->stack[base + i], r->origins[base + i] };
    qsort(slots, count, sizeof(*slots), slot_cmp);
    r->used = base;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && str_eq(slots[i - 1].member.key, slots[i].member.key)) {
            found_again(r, &slots[i]);
            r->used--;
        }
        r->stack[r->used++] = slots[i].member;
    }
    mem_free(slots);
}

static int finding_cmp(const void *x, const void *y)
{
    const struct finding *a = x;
    const struct finding *b = y;
    return a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
}

static void tell_findings(struct yaml_reader *r)
{
    struct yaml_duplicates *out = r->duplicates;
    out->count = r->finding_count;
    out->texts = arena_array(r->arena, r->finding_count, sizeof(*out->texts));
    if (r->finding_count > 1)
        qsort(r->findings, r->finding_count, sizeof(*r->findings), finding_cmp);
    for (size_t i = 0; i < r->finding_count; i++)
        out->texts[i] = r->findings[i].text;
}

static int read_mapping(struct yaml_reader *r, int depth, struct json *out)
{
    size_t base = r->used;
    int rc = read_members(r, depth, base);
    if (rc != 0)
        return rc;
    if (r->duplicates != NULL && r->used > base)
        settle(r, base);
    size_t count = r->used - base;
    struct json_member *members = NULL;
    if (count > 0)
        members = arena_copy(r->arena, r->stack + base, count * sizeof(*members));
    *out = json_object(members, count);
    r->used = base;
    return 0;
}

static int read_node(struct yaml_reader *r, yaml_event_t *event, int depth, struct json *out)
{
    size_t before = r->nodes;
    size_t bytes_before = r->bytes;
    const yaml_char_t *anchor = NULL;
    int rc = count_nodes(r, 1);
    if (rc != 0)
        return rc;
    if (depth > JSON_DEPTH_MAX)
        return err_set(r->e, ERR_LIMIT, "yaml: exceeded max depth of %d", JSON_DEPTH_MAX);
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return read_alias(r, event, out);
    case YAML_SCALAR_EVENT:
        anchor = event->data.scalar.anchor;
        rc = read_scalar(r, event, out);
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = event->data.sequence_start.anchor;
        rc = read_sequence(r, depth, out);
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = event->data.mapping_start.anchor;
        rc = read_mapping(r, depth, out);
        break;
    default:
        return err_set(r->e, ERR_PARSE, "yaml: line %zu: unexpected event",
                       event->start_mark.line + 1);
    }
    const struct anchor kept = { .value = *out,
                                 .nodes = r->nodes - before,
                                 .bytes = r->bytes - bytes_before };
    return rc != 0 ? rc : keep_anchor(r, anchor, &kept);
}

/* One document or the end of the stream (*done). */
static int read_document(struct yaml_reader *r, struct json *out, bool *done)
{
    yaml_event_t event;
    bool end = false;
    size_t line;
    for (;;) {
        int rc = next_event(r, &event);
        if (rc != 0)
            return rc;
        yaml_event_type_t type = event.type;
        yaml_event_delete(&event);
        if (type == YAML_STREAM_END_EVENT || type == YAML_NO_EVENT) {
            *done = true;
            return 0;
        }
        if (type == YAML_DOCUMENT_START_EVENT)
            break;
    }
    r->anchor_count = 0;
    int rc = read_next(r, YAML_NO_EVENT, 0, out, &end, &line);
    if (rc != 0)
        return rc;
    rc = next_event(r, &event);
    yaml_event_delete(&event);
    return rc;
}

static int reader_open(struct yaml_reader *r, struct arena *a, struct str text, struct err *e)
{
    *r = (struct yaml_reader){ .arena = a, .nodes_max = YAML_NODES_MAX, .e = e };
    if (yaml_has_many_directives(text))
        return err_set(e, ERR_LIMIT, "yaml: more than %u directives", YAML_DIRECTIVES_MAX);
    if (text.len > JSON_BYTES_MAX)
        return err_set(e, ERR_LIMIT, "YAML of %zu bytes: limit is %u", text.len, JSON_BYTES_MAX);
    if (yaml_parser_initialize(&r->parser) == 0)
        return err_set(e, ERR_INTERNAL, "yaml: no parser");
    yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
    /* libyaml aborts on NULL, which no bytes at all may be. */
    const char *bytes = text.data == NULL ? "" : text.data;
    yaml_parser_set_input_string(&r->parser, (const unsigned char *)bytes, text.len);
    return 0;
}

static void reader_close(struct yaml_reader *r)
{
    yaml_parser_delete(&r->parser);
    mem_free(r->stack);
    mem_free(r->origins);
}

static int parse_one(struct arena *a, struct str text, const struct json **out,
                     struct yaml_duplicates *duplicates, struct err *e)
{
    struct yaml_reader r;
    struct json *root = arena_new(a, struct json);
    bool done = false;
    int rc = reader_open(&r, a, text, e);
    if (rc != 0)
        return rc;
    r.duplicates = duplicates;
    r.nodes_max = YAML_DOCUMENT_NODES_MAX;
    rc = read_document(&r, root, &done);
    if (rc == 0 && duplicates != NULL)
        tell_findings(&r);
    reader_close(&r);
    if (rc == 0)
        *out = root;
    return rc;
}

int yaml_parse(struct arena *a, struct str text, const struct json **out, struct err *e)
{
    return parse_one(a, text, out, NULL, e);
}

int yaml_parse_body(struct arena *a, struct str text, const struct json **out,
                    struct yaml_duplicates *out_duplicates, struct err *e)
{
    return parse_one(a, text, out, out_duplicates, e);
}

int yaml_parse_all(struct arena *a, struct str text, const struct json ***out_documents,
                   size_t *out_count, struct err *e)
{
    struct yaml_reader r;
    const struct json **documents = NULL;
    size_t count = 0;
    size_t capacity = 0;
    bool done = false;
    int rc = reader_open(&r, a, text, e);
    if (rc != 0)
        return rc;
    while (rc == 0 && !done) {
        struct json *root = arena_new(a, struct json);
        rc = read_document(&r, root, &done);
        if (rc != 0 || done || root->type == JSON_NULL)
            continue;
        if (count >= YAML_DOCUMENTS_MAX) {
            rc = err_set(e, ERR_LIMIT, "yaml: more than %u documents", YAML_DOCUMENTS_MAX);
            continue;
        }
        documents = arena_grow(a, documents, count, &capacity, sizeof(*documents));
        documents[count++] = root;
    }
    reader_close(&r);
    if (rc != 0)
        return rc;
    *out_documents = documents;
    *out_count = count;
    return 0;
}
