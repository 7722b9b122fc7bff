/* Environment of containers (see the header). */
#include "kubelet-lite/env_vars.h"

#include "api/meta/names.h"
#include "api/proto/core.pb-c.h"
#include "base/arena.h"
#include "base/buf.h"

static const char *text(const char *s)
{
    return s != NULL ? s : "";
}

static const struct env_var *find(const struct env_vars *vars, struct str name)
{
    for (size_t i = 0; i < vars->count; i++)
        if (str_eq(vars->items[i].name, name))
            return &vars->items[i];
    return NULL;
}

static void put(struct arena *a, struct env_vars *vars, struct str name, struct str value)
{
    struct env_var *old = (struct env_var *)find(vars, name);
    if (old != NULL) {
        old->value = value;
        return;
    }
    vars->items = arena_grow(a, vars->items, vars->count, &vars->capacity, sizeof *vars->items);
    vars->items[vars->count++] = (struct env_var){ name, value };
}

struct str env_expand(struct arena *a, struct str in, const struct env_vars *vars)
{
    struct buf b;
    if (str_find_char(in, '$', 0) < 0)
        return in;
    buf_init(&b);
    for (size_t i = 0; i < in.len; i++) {
        char next = i + 1 < in.len ? in.data[i + 1] : '\0';
        if (in.data[i] != '$' || (next != '$' && next != '(')) {
            buf_append_byte(&b, (uint8_t)in.data[i]);
            continue;
        }
        if (next == '$') {
            buf_append_byte(&b, '$');
            i++;
            continue;
        }
        ptrdiff_t end = str_find_char(in, ')', i + 2);
        if (end < 0) {
            buf_append_byte(&b, '$');
            continue;
        }
        const struct env_var *var = find(vars, str_slice(in, i + 2, (size_t)end));
        buf_append_str(&b, var != NULL ? var->value : str_slice(in, i, (size_t)end + 1));
        i = (size_t)end;
    }
    struct str out = str_copy(a, buf_str(&b));
    buf_deinit(&b);
    return out;
}

/* ---- ConfigMaps and Secrets ---- */

struct lookup {
    struct arena *a;
    const struct Pod *pod;
    struct source *source;
    struct err *e;
};

/* What messages call them. */
static const char *noun(enum kind kind)
{
    return kind == KIND_SECRET ? "secret" : "configmap";
}

/* 0 with *out_count 0 when it is missing and may be. */
static int entries_of(struct lookup *l, enum kind kind, const char *name, bool optional,
                      struct source_entry **out, size_t *out_count)
{
    *out_count = 0;
    int rc = l->source->read(l->source, l->a, kind, name, out, out_count, l->e);
    if (rc == -ERR_NOT_FOUND && optional)
        return 0;
    if (rc == -ERR_NOT_FOUND)
        return err_set(l->e, ERR_NOT_FOUND, "%s \"%s\" not found", noun(kind), name);
    return rc;
}

static int add_all(struct lookup *l, enum kind kind, const char *name, bool optional,
                   const char *prefix, struct env_vars *vars)
{
    struct source_entry *entries;
    size_t count;
    int rc = entries_of(l, kind, name, optional, &entries, &count);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        struct name_messages ignored;
        struct str key = str_printf(l->a, "%s%.*s", prefix, STR_ARG(entries[i].key));
        /* Keys that are no names of variables are left out, as upstream does. */
        if (name_env_var(key, &ignored))
            put(l->a, vars, key, entries[i].value);
    }
    return rc;
}

/* *out_found false: optional and missing, then the variable is not set at all. */
static int one_key(struct lookup *l, enum kind kind, const LocalObjectReference *ref,
                   const char *key, bool optional, struct str *out, bool *out_found)
{
    struct source_entry *entries;
    size_t count;
    const char *name = ref != NULL ? text(ref->name) : "";
    int rc = entries_of(l, kind, name, optional, &entries, &count);
    if (rc != 0)
        return rc;
    const struct source_entry *found = source_find(entries, count, key);
    *out_found = found != NULL;
    if (found != NULL)
        *out = found->value;
    else if (!optional)
        return err_set(l->e, ERR_NOT_FOUND, "couldn't find key %s in %s %s/%s", key,
                       kind == KIND_SECRET ? "Secret" : "ConfigMap",
                       text(l->pod->metadata->namespace_), name);
    return 0;
}

static int value_from(struct lookup *l, const struct Container *c, const struct pod_facts *facts,
                      const EnvVarSource *from, struct str *out, bool *out_found)
{
    *out_found = true;
    if (from->field_ref != NULL)
        return field_value(l->a, l->pod, facts, from->field_ref, out, l->e);
    if (from->resource_field_ref != NULL)
        return resource_field_value(l->a, l->pod, facts, c, from->resource_field_ref, out, l->e);
    if (from->config_map_key_ref != NULL) {
        const ConfigMapKeySelector *ref = from->config_map_key_ref;
        return one_key(l, KIND_CONFIG_MAP, ref->local_object_reference, text(ref->key),
                       ref->optional, out, out_found);
    }
    if (from->secret_key_ref != NULL) {
        const SecretKeySelector *ref = from->secret_key_ref;
        return one_key(l, KIND_SECRET, ref->local_object_reference, text(ref->key), ref->optional,
                       out, out_found);
    }
    return err_set(l->e, ERR_INVALID_ARGUMENT, "valueFrom names no source");
}

int container_env(struct arena *a, const struct Pod *pod, const struct Container *c,
                  const struct pod_facts *facts, struct source *source, struct env_vars *out,
                  struct err *e)
{
    struct lookup l = { a, pod, source, e };
    int rc = 0;
    *out = (struct env_vars){ 0 };
    for (size_t i = 0; rc == 0 && i < c->n_env_from; i++) {
        const EnvFromSource *from = c->env_from[i];
        const LocalObjectReference *ref;
        if (from->config_map_ref != NULL) {
            ref = from->config_map_ref->local_object_reference;
            rc = add_all(&l, KIND_CONFIG_MAP, ref != NULL ? text(ref->name) : "",
                         from->config_map_ref->optional, text(from->prefix), out);
        } else if (from->secret_ref != NULL) {
            ref = from->secret_ref->local_object_reference;
            rc = add_all(&l, KIND_SECRET, ref != NULL ? text(ref->name) : "",
                         from->secret_ref->optional, text(from->prefix), out);
        }
    }
    for (size_t i = 0; rc == 0 && i < c->n_env; i++) {
        const EnvVar *var = c->env[i];
        struct str value;
        bool found = true;
        if (var->value_from != NULL)
            rc = value_from(&l, c, facts, var->value_from, &value, &found);
        else
            value = env_expand(a, str_from(text(var->value)), out);
        if (rc == 0 && found)
            put(a, out, str_from(text(var->name)), value);
    }
    return rc;
}
