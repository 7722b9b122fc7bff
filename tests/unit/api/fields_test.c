/*
 * The schema against the fact table of upstream's fields: a tab-separated file, one line a field in
 * JSON order, that the environment's GANTRY_FIELDS names. Every message we have must have the same
 * fields, numbers, names, presence, omission and list semantics. Without the file the test says so
 * and passes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/proto/schemas.h"
#include "api/schema/schema.h"
#include "base/str.h"
#include "tests/unit/unit.h"

#define LINE_BYTES 4096

enum column {
    GROUP_VERSION,
    MESSAGE,
    NUMBER,
    LABEL,
    TYPE,
    PROTO_NAME,
    JSON_NAME,
    PRESENCE,
    OMISSION,
    MARKS,
    COLUMNS
};

struct row {
    struct str at[COLUMNS];
};

/* What is being compared. */
struct run {
    const struct schema *schema; /* of the last row; NULL: not ours */
    size_t next;                 /* its field that the next row should be */
    size_t messages;
    size_t fields;
    size_t wrong;
};

/* "core/v1" and "PodSpec" against "io.k8s.api.core.v1.PodSpec". */
static bool is_message(const struct schema *s, const struct row *r)
{
    char suffix[256];
    struct str group = r->at[GROUP_VERSION];
    struct str model = str_from(s->model);
    ptrdiff_t slash = str_find_char(group, '/', 0);
    if (slash < 0)
        return false;
    int len =
        snprintf(suffix, sizeof(suffix), ".%.*s.%.*s.%.*s", (int)slash, group.data,
                 STR_ARG(str_slice(group, (size_t)slash + 1, group.len)), STR_ARG(r->at[MESSAGE]));
    return model.len > (size_t)len &&
           str_eq_c(str_slice(model, model.len - (size_t)len, model.len), suffix);
}

static const struct schema *find_message(const struct row *r)
{
    for (size_t i = 0; i < schema_all_count; i++) {
        if (is_message(schema_all[i], r))
            return schema_all[i];
    }
    return NULL;
}

static void wrong(struct run *run, const struct row *r, const char *what)
{
    run->wrong++;
    print_error("%.*s %.*s.%.*s: %s\n", STR_ARG(r->at[GROUP_VERSION]), STR_ARG(r->at[MESSAGE]),
                STR_ARG(r->at[PROTO_NAME]), what);
}

static bool has_mark(const struct row *r, const char *mark)
{
    struct str rest = r->at[MARKS];
    struct str part;
    while (rest.data != NULL && str_split(&rest, ' ', &part)) {
        if (str_eq_c(part, mark))
            return true;
    }
    return false;
}

static struct str mark_value(const struct row *r, const char *name)
{
    struct str rest = r->at[MARKS];
    struct str part;
    while (rest.data != NULL && str_split(&rest, ' ', &part)) {
        if (str_starts(part, str_from(name)) && part.len > strlen(name) &&
            part.data[strlen(name)] == '=')
            return str_slice(part, strlen(name) + 1, part.len);
    }
    return str_lit("");
}

static void compare_shape(struct run *run, const struct row *r, const struct schema_field *f)
{
    struct str presence = r->at[PRESENCE];
    struct str label = r->at[LABEL];
    bool inlined = str_eq_c(presence, "inline");
    bool special =
        run->schema->form != SCHEMA_FORM_OBJECT || strcmp(run->schema->name, "TypeMeta") == 0;
    bool structure =
        f->type == SCHEMA_MESSAGE && f->card == SCHEMA_ONE && (f->flags & SCHEMA_POINTER) == 0;
    uint64_t number = 0;
    (void)str_to_u64(r->at[NUMBER], &number); /* 0 is no field's number */
    if (number != f->number)
        wrong(run, r, "another number");
    if (special)
        return;
    if (!inlined && !str_eq(f->name, r->at[JSON_NAME]))
        wrong(run, r, "another JSON name");
    if (inlined != ((f->flags & SCHEMA_INLINE) != 0))
        wrong(run, r, "inline or not");
    if (str_eq_c(label, "repeated") != (f->card == SCHEMA_LIST) ||
        str_eq_c(label, "map") != (f->card == SCHEMA_MAP))
        wrong(run, r, "another cardinality");
    if (str_eq_c(presence, "pointer") != ((f->flags & SCHEMA_POINTER) != 0))
        wrong(run, r, "pointer or value");
    /* A struct that is a value is shown whatever its tag says, unless it says omitzero. */
    if (!inlined && !structure &&
        str_eq_c(r->at[OMISSION], "always") != ((f->flags & (SCHEMA_ALWAYS | SCHEMA_ITEMS)) != 0))
        wrong(run, r, "shown when empty or not");
    /* The table keeps one word of a tag: "omitempty,omitzero" of a struct reads omitempty. */
    if (str_eq_c(r->at[OMISSION], "omitzero") && (f->flags & SCHEMA_OMITZERO) == 0)
        wrong(run, r, "not omitzero");
}

static void compare_lists(struct run *run, const struct row *r, const struct schema_field *f)
{
    static const char *const types[] = { "atomic", "set", "map" };
    struct str type = mark_value(r, "+listType");
    struct str strategy = mark_value(r, "patchStrategy");
    struct str key = mark_value(r, "patchMergeKey");
    bool merge = str_starts(strategy, str_lit("merge"));
    if (f->card == SCHEMA_LIST && !str_eq_c(type, type.len == 0 ? "" : types[f->list_type]))
        wrong(run, r, "another list type");
    if (f->card == SCHEMA_LIST && type.len == 0 && f->list_type != SCHEMA_LIST_ATOMIC)
        wrong(run, r, "a list type that upstream does not give");
    if (merge != ((f->flags & SCHEMA_PATCH_MERGE) != 0))
        wrong(run, r, "patchStrategy merge or not");
    bool retains = str_find(strategy, str_lit("retainKeys")) >= 0;
    if (retains != ((f->flags & SCHEMA_RETAIN_KEYS) != 0))
        wrong(run, r, "patchStrategy retainKeys or not");
    if (str_eq_c(strategy, "replace") != ((f->flags & SCHEMA_PATCH_REPLACE) != 0))
        wrong(run, r, "patchStrategy replace or not");
    if (!str_eq(key, f->merge_key == NULL ? str_lit("") : str_from(f->merge_key)))
        wrong(run, r, "another merge key");
    for (size_t i = 0; f->list_keys != NULL && f->list_keys[i] != NULL; i++) {
        char mark[128];
        (void)snprintf(mark, sizeof(mark), "+listMapKey=%s", f->list_keys[i]);
        if (!has_mark(r, mark))
            wrong(run, r, "a list key that upstream does not have");
    }
    if (f->list_keys == NULL && mark_value(r, "+listMapKey").len > 0)
        wrong(run, r, "no list keys");
}

/* Fields of the message before this row's that upstream does not have, and its last ones. */
static void end_message(struct run *run)
{
    for (; run->schema != NULL && run->next < run->schema->field_count; run->next++) {
        run->wrong++;
        print_error("%s.%.*s: upstream has no such field here\n", run->schema->model,
                    STR_ARG(run->schema->fields[run->next].name));
    }
}

static void compare(struct run *run, const struct row *r)
{
    if (run->schema == NULL || !is_message(run->schema, r)) {
        end_message(run);
        run->schema = find_message(r);
        run->next = 0;
        run->messages += run->schema != NULL;
    }
    if (run->schema == NULL)
        return;
    run->fields++;
    if (run->next >= run->schema->field_count) {
        wrong(run, r, "missing");
        return;
    }
    const struct schema_field *f = &run->schema->fields[run->next++];
    compare_shape(run, r, f);
    compare_lists(run, r, f);
}

static bool split(char *line, struct row *out)
{
    struct str rest = str_of(line, strcspn(line, "\n"));
    size_t count = 0;
    memset(out, 0, sizeof(*out));
    while (count < COLUMNS && rest.data != NULL && str_split(&rest, '\t', &out->at[count]))
        count++;
    return line[0] != '#' && count >= MARKS;
}

static void schema_is_upstreams(void **state)
{
    (void)state;
    const char *path = getenv("GANTRY_FIELDS");
    char line[LINE_BYTES];
    struct row row;
    struct run run = { 0 };
    if (path == NULL || *path == '\0') {
        print_message("GANTRY_FIELDS is not set: the schema was not compared\n");
        skip();
        return;
    }
    FILE *f = fopen(path, "r");
    if (f == NULL)
        fail_msg("GANTRY_FIELDS: cannot open %s", path);
    while (fgets(line, sizeof(line), f) != NULL) {
        if (split(line, &row) && !str_eq_c(row.at[GROUP_VERSION], "group/version"))
            compare(&run, &row);
    }
    end_message(&run);
    (void)fclose(f);
    print_message("messages compared=%zu fields=%zu wrong=%zu\n", run.messages, run.fields,
                  run.wrong);
    assert_true(run.messages > 200);
    assert_int_equal(run.wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(schema_is_upstreams) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
