/* Selectors over stored bytes. */
#include "controlplane/apiserver/selection.h"

#include "api/meta/key.h"
#include "api/meta/object.h"

/* metadata.name=NAME in front of the other field requirements. */
static void pin_name(struct arena *a, struct selection *s, struct str name)
{
    struct field_requirement *all = arena_array(a, s->fields.count + 1, sizeof(*all));
    all[0] = (struct field_requirement){ .field = str_lit("metadata.name"), .value = name };
    for (size_t i = 0; i < s->fields.count; i++) {
        all[i + 1] = s->fields.requirements[i];
    }
    s->fields = (struct field_selector){ .requirements = all, .count = s->fields.count + 1 };
}

int selection_build(struct arena *a, const struct selection_text *t, struct selection *out,
                    struct err *e)
{
    *out = (struct selection){ .kind = t->kind,
                               .resource = resource_of(t->kind->kind),
                               .ns = str_copy(a, t->ns) };
    if (t->labels.len > 0 && selector_parse(a, str_copy(a, t->labels), &out->labels, e) != 0) {
        return -ERR_INVALID_ARGUMENT;
    }
    if (t->fields.len > 0 &&
        (field_selector_parse(a, str_copy(a, t->fields), &out->fields, e) != 0 ||
         resource_check_fields(out->resource, &out->fields, e) != 0)) {
        return -ERR_INVALID_ARGUMENT;
    }
    if (t->name.len > 0) {
        pin_name(a, out, str_copy(a, t->name));
    }
    out->everything = selector_everything(&out->labels) && out->fields.count == 0;
    return 0;
}

struct selection_text selection_text_of(const struct request *r)
{
    return (struct selection_text){ .kind = r->kind,
                                    .ns = r->route.ns,
                                    .name = r->route.name,
                                    .labels = route_param(&r->route, "labelSelector"),
                                    .fields = route_param(&r->route, "fieldSelector") };
}

int selection_parse(struct request *r, struct selection *out)
{
    struct err e = { 0 };
    struct str name;
    struct field_selector given = { 0 };
    const struct selection_text text = selection_text_of(r);
    int rc = selection_build(&r->arena, &text, out, &e);
    if (rc == 0 && text.name.len > 0 && text.fields.len > 0 &&
        (field_selector_parse(&r->arena, text.fields, &given, &e) != 0 ||
         !field_selector_exact(&given, "metadata.name", &name) || !str_eq(name, text.name))) {
        return status_bad_request(
            &r->status, str_lit("fieldSelector metadata.name doesn't match requested name"));
    }
    return rc == 0 ? 0 : status_from_err(&r->arena, &r->status, rc, &e);
}

bool selection_matches(const struct selection *s, struct str payload)
{
    if (s->everything) {
        return true;
    }
    if (s->fields.count > 0 && !resource_matches_fields(s->resource, &s->fields, payload)) {
        return false;
    }
    if (!selector_everything(&s->labels)) {
        struct object_meta meta;
        object_meta_scan(payload, &meta);
        struct labels labels = object_meta_labels(&meta);
        return selector_matches(&s->labels, &labels);
    }
    return true;
}

struct str selection_prefix(struct arena *a, const struct selection *s)
{
    struct str name;
    bool scoped = s->ns.len > 0 || !s->kind->namespaced;
    if (scoped && field_selector_exact(&s->fields, "metadata.name", &name) && name.len > 0 &&
        name.len <= KEY_NAME_BYTES_MAX) {
        const struct key k = { .kind = s->kind->kind, .namespace = s->ns, .name = name };
        return key_text(a, &k);
    }
    return key_prefix(a, s->kind->kind, s->ns);
}
