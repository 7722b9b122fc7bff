/* See fixture.h. */
#include "tests/unit/controlplane/resources/fixture.h"

#include "api/meta/view.h"
#include "api/schema/codec.h"
#include "api/schema/err_list.h"
#include "base/buf.h"
#include "tests/unit/unit.h"

void fixture_init(struct fixture *f)
{
    arena_init(&f->arena);
    f->context.arena = &f->arena;
    f->context.now_wall_ns = FIXTURE_NOW_SECONDS * 1000000000ull;
}

void fixture_deinit(struct fixture *f)
{
    arena_deinit(&f->arena);
}

void *fixture_decode(struct fixture *f, enum kind kind, const char *json)
{
    const struct json *tree;
    void *object;
    struct err e = { 0 };
    char *text = str_dup(&f->arena, str_from(json));
    for (char *c = text; *c != '\0'; c++) {
        if (*c == '\'')
            *c = '"';
    }
    if (json_parse(&f->arena, str_from(text), &tree, &e) < 0 ||
        schema_decode(&f->arena, kind_info(kind)->schema, tree, SCHEMA_STRICT, &object, NULL, &e) <
            0)
        fail_msg("%s: %s", json, e.msg);
    if (kind == KIND_EVENTS_EVENT) { /* a view: hooks see what is stored */
        struct str payload = view_to_stored(
            &f->arena, kind, schema_pack_arena(&f->arena, kind_info(kind)->schema, object));
        if (schema_unpack(&f->arena, kind_info(kind_store(kind))->schema, payload, &object, &e) < 0)
            fail_msg("%s: %s", json, e.msg);
    }
    return object;
}

void *fixture_object(struct fixture *f, enum kind kind, const char *json)
{
    void *object = fixture_decode(f, kind, json);
    resource_defaults(resource_of(kind), &f->arena, object);
    return object;
}

static const char *take(struct fixture *f, struct buf *b)
{
    const char *text = str_dup(&f->arena, buf_str(b));
    buf_deinit(b);
    return text;
}

const char *fixture_json(struct fixture *f, enum kind kind, const void *object)
{
    struct buf b;
    struct err e = { 0 };
    buf_init(&b);
    if (schema_struct_to_json(&b, kind_info(kind)->schema, object, NULL, &e) < 0)
        fail_msg("%s", e.msg);
    return take(f, &b);
}

struct str fixture_payload(struct fixture *f, enum kind kind, const void *object)
{
    return schema_pack_arena(&f->arena, kind_info(kind)->schema, object);
}

static const char *errors_text(struct fixture *f, const struct err_list *errors)
{
    struct buf b;
    buf_init(&b);
    if (errors->count > 0)
        err_list_write(errors, &b);
    return take(f, &b);
}

const char *fixture_create_errors(struct fixture *f, enum kind kind, const char *json)
{
    struct err_list errors;
    const struct resource *r = resource_of(kind);
    void *object = fixture_object(f, kind, json);
    err_list_init(&errors, &f->arena);
    resource_prepare_create(r, &f->context, object);
    resource_validate_create(r, &f->context, object, &errors);
    return errors_text(f, &errors);
}

const char *fixture_update_errors(struct fixture *f, enum kind kind, const char *old,
                                  const char *json)
{
    struct err_list errors;
    const struct resource *r = resource_of(kind);
    void *was = fixture_object(f, kind, old);
    void *object = fixture_object(f, kind, json);
    err_list_init(&errors, &f->arena);
    resource_prepare_update(r, &f->context, object, was);
    resource_validate(r, &f->context, object, &errors);
    resource_validate_update(r, &f->context, object, was, &errors);
    return errors_text(f, &errors);
}

const char *fixture_cells(struct fixture *f, enum kind kind, const char *json)
{
    struct table_cell cells[TABLE_COLUMNS_MAX];
    const struct resource *r = resource_of(kind);
    struct buf b;
    buf_init(&b);
    resource_cells(r, &f->context, fixture_decode(f, kind, json), cells);
    for (size_t i = 0; i < r->columns_count; i++) {
        buf_append_c(&b, i > 0 ? "|" : "");
        if (cells[i].type == CELL_INTEGER)
            buf_printf(&b, "%lld", (long long)cells[i].number);
        else
            buf_append_str(&b, cells[i].text);
    }
    return take(f, &b);
}

static void check(size_t i, const char *json, const char *got, const char *wanted)
{
    if (!str_eq_c(str_from(got), wanted))
        fail_msg("case %zu: %s\n got: %s\nwant: %s", i, json, got, wanted);
}

void fixture_check_creates(enum kind kind, const struct create_case *cases, size_t count)
{
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < count; i++)
        check(i, cases[i].json, fixture_create_errors(&f, kind, cases[i].json), cases[i].errors);
    fixture_deinit(&f);
}

void fixture_check_updates(enum kind kind, const struct update_case *cases, size_t count)
{
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < count; i++)
        check(i, cases[i].json, fixture_update_errors(&f, kind, cases[i].old, cases[i].json),
              cases[i].errors);
    fixture_deinit(&f);
}

static const char *status_errors(struct fixture *f, enum kind kind, const struct update_case *c)
{
    struct err_list errors;
    const struct resource *r = resource_of(kind);
    void *was = fixture_object(f, kind, c->old);
    void *object = fixture_object(f, kind, c->json);
    err_list_init(&errors, &f->arena);
    resource_prepare_status(r, &f->context, object, was);
    resource_validate_status(r, &f->context, object, was, &errors);
    return errors_text(f, &errors);
}

void fixture_check_statuses(enum kind kind, const struct update_case *cases, size_t count)
{
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < count; i++)
        check(i, cases[i].json, status_errors(&f, kind, &cases[i]), cases[i].errors);
    fixture_deinit(&f);
}

void fixture_check_cells(enum kind kind, const struct create_case *cases, size_t count)
{
    struct fixture f;
    fixture_init(&f);
    for (size_t i = 0; i < count; i++)
        check(i, cases[i].json, fixture_cells(&f, kind, cases[i].json), cases[i].errors);
    fixture_deinit(&f);
}

const char *fixture_warnings(struct fixture *f, enum kind kind, const char *json, const void *old)
{
    struct resource_warnings found = { 0 };
    struct buf all;
    const void *object = fixture_object(f, kind, json);
    buf_init(&all);
    resource_of(kind)->strategy->warnings(&f->context, object, old, &found);
    for (size_t i = 0; i < found.count; i++)
        buf_printf(&all, "%s\n", found.texts[i]);
    const char *text = str_dup(&f->arena, buf_str(&all));
    buf_deinit(&all);
    return text;
}
