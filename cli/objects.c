/* See the header. Discovery is the aggregated one: two answers name everything. */
#include "cli/objects.h"

#include <stdio.h>

#include "api/schema/json.h"
#include "base/buf.h"
#include "cli/ask.h"

#define AGGREGATED "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
/* Resources of one server. */
#define OBJECTS_MAX 4096

static size_t items_of(const struct json *array, const struct json **out)
{
    if (array == NULL || array->type != JSON_ARRAY)
        return 0;
    *out = array->u.items;
    return array->count;
}

static struct str text_in(const struct json *object, const char *name)
{
    return json_str(json_get_c(object, name));
}

static struct str lower(struct arena *a, struct str s)
{
    char *out = str_dup(a, s);
    for (size_t i = 0; i < s.len; i++)
        if (out[i] >= 'A' && out[i] <= 'Z')
            out[i] = (char)(out[i] - 'A' + 'a');
    return str_of(out, s.len);
}

/* ---- discovery ---- */

struct loading {
    struct objects_list list;
    size_t capacity;
    struct arena *arena;
};

static void load_version(struct loading *l, struct str group, const struct json *version,
                         bool preferred)
{
    const struct json *resources = NULL;
    size_t count = items_of(json_get_c(version, "resources"), &resources);
    for (size_t i = 0; i < count && l->list.count < OBJECTS_MAX; i++) {
        const struct json *r = &resources[i];
        l->list.items =
            arena_grow(l->arena, l->list.items, l->list.count, &l->capacity, sizeof *l->list.items);
        l->list.items[l->list.count++] =
            (struct objects_resource){ .group = group,
                                       .version = text_in(version, "version"),
                                       .plural = text_in(r, "resource"),
                                       .singular = text_in(r, "singularResource"),
                                       .kind = text_in(json_get_c(r, "responseKind"), "kind"),
                                       .namespaced = str_eq_c(text_in(r, "scope"), "Namespaced"),
                                       .preferred = preferred,
                                       .shorts = json_get_c(r, "shortNames"),
                                       .verbs = json_get_c(r, "verbs"),
                                       .categories = json_get_c(r, "categories"),
                                       .subresources = json_get_c(r, "subresources") };
    }
}

static void load_groups(struct loading *l, const struct json *root)
{
    const struct json *groups = NULL;
    size_t count = items_of(json_get_c(root, "items"), &groups);
    for (size_t i = 0; i < count; i++) {
        const struct json *versions = NULL;
        struct str group = text_in(json_get_c(&groups[i], "metadata"), "name");
        size_t n = items_of(json_get_c(&groups[i], "versions"), &versions);
        for (size_t j = 0; j < n; j++)
            load_version(l, group, &versions[j], j == 0);
    }
}

int objects_load(struct cli *c, const struct objects_list **out, struct err *e)
{
    static const char *const roots[] = { "/api", "/apis" };
    struct loading l = { .arena = &c->arena };
    for (size_t i = 0; c->objects == NULL && i < sizeof roots / sizeof roots[0]; i++) {
        const struct ask_request request = { .target = roots[i], .accept = AGGREGATED };
        const struct json *root;
        struct ask_answer answer;
        int rc = ask_send(c, &request, &answer, e);
        if (rc == 0 && !ask_good(&answer))
            rc = err_set(e, ERR_INTERNAL, "%.*s", STR_ARG(ask_refused(c, &answer)));
        if (rc == 0)
            rc = json_parse(&c->arena, answer.body, &root, e);
        if (rc != 0)
            return rc;
        load_groups(&l, root);
    }
    if (c->objects == NULL) {
        struct objects_list *list = arena_new(&c->arena, struct objects_list);
        *list = l.list;
        c->objects = list;
    }
    *out = c->objects;
    return 0;
}

/* ---- names ---- */

bool objects_has(const struct json *array, const char *text)
{
    const struct json *items = NULL;
    size_t count = items_of(array, &items);
    for (size_t i = 0; i < count; i++)
        if (str_eq_c(json_str(&items[i]), text))
            return true;
    return false;
}

/* "apps", "v1.apps" or "" after the first dot of "deployments.v1.apps"; a group may be cut short
 * where that is asked for. */
static bool of_group(const struct objects_resource *r, struct arena *a, struct str rest,
                     bool prefix)
{
    struct str full = str_printf(a, "%.*s.%.*s", STR_ARG(r->version), STR_ARG(r->group));
    if (str_eq(rest, r->group) || str_eq(rest, full))
        return true;
    return prefix && rest.len > 0 && str_starts(r->group, rest);
}

static bool has_name(const struct objects_resource *r, struct arena *a, struct str bare,
                     bool is_short)
{
    if (!is_short)
        return str_eq(r->plural, bare) || str_eq(r->singular, bare) ||
               str_eq(lower(a, r->kind), bare);
    return objects_has(r->shorts, str_dup(a, bare));
}

const struct objects_resource *objects_match(const struct objects_list *list, struct arena *a,
                                             struct str word)
{
    struct str name = lower(a, word);
    ptrdiff_t dot = str_find_char(name, '.', 0);
    struct str bare = dot < 0 ? name : str_slice(name, 0, (size_t)dot);
    struct str rest = dot < 0 ? str_lit("") : str_slice(name, (size_t)dot + 1, name.len);
    /* Names before short names, whole groups before groups cut short. */
    for (int pass = 0; bare.len > 0 && pass < 4; pass++) {
        for (size_t i = 0; i < list->count; i++) {
            const struct objects_resource *r = &list->items[i];
            if (has_name(r, a, bare, (pass & 1) != 0) &&
                (dot < 0 || of_group(r, a, rest, pass >= 2)))
                return r;
        }
    }
    return NULL;
}

/* Another resource by the same short name: kubectl says that it was passed over. */
static void warn_of_others(struct cli *c, const struct objects_list *list,
                           const struct objects_resource *found, struct str word)
{
    const char *name = str_dup(&c->arena, lower(&c->arena, word));
    bool is_short = !has_name(found, &c->arena, str_from(name), false);
    for (size_t i = 0; is_short && i < list->count; i++) {
        const struct objects_resource *r = &list->items[i];
        bool same = str_eq(r->group, found->group) && str_eq(r->plural, found->plural);
        if (!same && objects_has(r->shorts, name))
            (void)fprintf(stderr,
                          "Warning: short name \"%s\" could also match lower priority resource "
                          "%.*s\n",
                          name, STR_ARG(objects_group_resource(c, r)));
    }
}

static int find(struct cli *c, struct str word, const struct objects_resource **out, struct err *e)
{
    const struct objects_list *list;
    int rc = objects_load(c, &list, e);
    if (rc != 0)
        return rc;
    *out = objects_match(list, &c->arena, word);
    ptrdiff_t dot = str_find_char(word, '.', 0);
    struct str bare = dot < 0 ? word : str_slice(word, 0, (size_t)dot);
    if (*out != NULL && dot < 0)
        warn_of_others(c, list, *out, word);
    return *out != NULL
               ? 0
               : err_set(e, ERR_NOT_FOUND, "the server doesn't have a resource type \"%.*s\"",
                         STR_ARG(bare));
}

int objects_find(struct cli *c, struct str word, struct objects_resource *out, struct err *e)
{
    const struct objects_resource *found;
    int rc = find(c, word, &found, e);
    if (rc == 0)
        *out = *found;
    return rc;
}

int objects_of_kind(struct cli *c, struct str api_version, struct str kind,
                    const struct objects_resource **out, struct err *e)
{
    const struct objects_list *list;
    int rc = objects_load(c, &list, e);
    for (size_t i = 0; rc == 0 && i < list->count; i++) {
        const struct objects_resource *r = &list->items[i];
        if (str_eq(r->kind, kind) && str_eq(objects_api_version(c, r), api_version)) {
            *out = r;
            return 0;
        }
    }
    return rc != 0 ? rc
                   : err_set(e, ERR_NOT_FOUND, "no matches for kind \"%.*s\" in version \"%.*s\"",
                             STR_ARG(kind), STR_ARG(api_version));
}

/* ---- what the words ask for ---- */

struct targets {
    struct cli *cli;
    struct objects_target *items;
    size_t count;
    size_t capacity;
    struct err *e;
};

static void add_target(struct targets *t, const struct objects_resource *r, struct str name)
{
    t->items = arena_grow(&t->cli->arena, t->items, t->count, &t->capacity, sizeof *t->items);
    t->items[t->count++] = (struct objects_target){ .resource = r, .name = name };
}

/* "all" and other categories stand for several resources. */
static int add_type(struct targets *t, struct str word, const char *const *names, size_t count)
{
    const struct objects_list *list;
    const struct objects_resource *r = NULL;
    size_t before = t->count;
    const char *category = str_dup(&t->cli->arena, word);
    int rc = objects_load(t->cli, &list, t->e);
    for (size_t i = 0; rc == 0 && i < list->count; i++) {
        if (!objects_has(list->items[i].categories, category))
            continue;
        for (size_t n = 0; n < (count > 0 ? count : 1); n++)
            add_target(t, &list->items[i], count > 0 ? str_from(names[n]) : str_lit(""));
    }
    if (rc != 0 || t->count > before)
        return rc;
    rc = find(t->cli, word, &r, t->e);
    for (size_t n = 0; rc == 0 && n < (count > 0 ? count : 1); n++)
        add_target(t, r, count > 0 ? str_from(names[n]) : str_lit(""));
    return rc;
}

static int add_pair(struct targets *t, struct str word)
{
    const struct objects_resource *r;
    ptrdiff_t slash = str_find_char(word, '/', 0);
    struct str type = str_slice(word, 0, (size_t)slash);
    struct str name = str_slice(word, (size_t)slash + 1, word.len);
    if (str_find_char(name, '/', 0) >= 0)
        return err_set(t->e, ERR_INVALID_ARGUMENT,
                       "arguments in resource/name form may not have more than one slash");
    if (type.len == 0 || name.len == 0 || str_find_char(type, ',', 0) >= 0)
        return err_set(t->e, ERR_INVALID_ARGUMENT,
                       "arguments in resource/name form must have a single resource and name");
    int rc = find(t->cli, type, &r, t->e);
    if (rc == 0)
        add_target(t, r, name);
    return rc;
}

int objects_targets(struct cli *c, const char *const *words, size_t count,
                    struct objects_target **out, size_t *out_count, struct err *e)
{
    struct targets t = { .cli = c, .e = e };
    size_t pairs = 0;
    int rc = 0;
    for (size_t i = 0; i < count; i++)
        pairs += str_find_char(str_from(words[i]), '/', 0) >= 0;
    if (pairs > 0 && pairs < count)
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "there is no need to specify a resource type as a separate argument when "
                       "passing arguments in resource/name form (e.g. 'gantry get "
                       "resource/<resource_name>' instead of 'gantry get resource "
                       "resource/<resource_name>'");
    for (size_t i = 0; rc == 0 && i < pairs; i++)
        rc = add_pair(&t, str_from(words[i]));
    struct str rest = pairs == 0 && count > 0 ? str_from(words[0]) : str_of(NULL, 0);
    struct str type;
    while (rc == 0 && str_split(&rest, ',', &type))
        rc = add_type(&t, type, words + 1, count - 1);
    if (rc != 0)
        return rc;
    *out = t.items;
    *out_count = t.count;
    return 0;
}
