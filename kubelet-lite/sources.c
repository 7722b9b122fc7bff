/* One reflector per object a pod names (see the header). */
#include "kubelet-lite/sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/client/reflector.h"
#include "api/proto/core.pb-c.h"
#include "base/arena.h"
#include "base/assert.h"
#include "base/map.h"

#define KEY_BYTES_MAX 600

struct source_object {
    struct sources *sources;
    enum kind kind;
    char *namespace;
    char *name;
    uint32_t holders;
    bool told; /* changed was called for its first list */
    struct reflector *reflector;
};

struct sources {
    struct client *client;
    void (*changed)(void *ctx, enum kind kind, const char *namespace, const char *name);
    void *ctx;
    struct map objects;
};

struct sources *sources_new(struct client *client,
                            void (*changed)(void *ctx, enum kind kind, const char *namespace,
                                            const char *name),
                            void *ctx)
{
    struct sources *s = mem_alloc(sizeof *s);
    s->client = client;
    s->changed = changed;
    s->ctx = ctx;
    map_init(&s->objects);
    return s;
}

static struct str key_of(char key[KEY_BYTES_MAX], enum kind kind, const char *namespace,
                         const char *name)
{
    int n = snprintf(key, KEY_BYTES_MAX, "%d/%s/%s", (int)kind, namespace, name);
    ASSERT(n > 0 && n < KEY_BYTES_MAX);
    return str_of(key, (size_t)n);
}

static void tell(struct source_object *o)
{
    o->sources->changed(o->sources->ctx, o->kind, o->namespace, o->name);
}

static void on_upsert(void *ctx, const struct lister_item *old, const struct lister_item *item)
{
    struct source_object *o = ctx;
    (void)old;
    (void)item;
    if (o->told)
        tell(o);
}

static void on_removed(void *ctx, const struct lister_item *item)
{
    (void)item;
    tell(ctx);
}

/* The first list is complete, with or without the object. */
static void on_advanced(void *ctx, uint64_t revision)
{
    struct source_object *o = ctx;
    (void)revision;
    if (o->told || !reflector_synced(o->reflector))
        return;
    o->told = true;
    tell(o);
}

static void object_free(struct source_object *o)
{
    reflector_stop(o->reflector);
    reflector_free(o->reflector);
    mem_free(o->namespace);
    mem_free(o->name);
    mem_free(o);
}

void sources_free(struct sources *s)
{
    if (s == NULL)
        return;
    map_foreach (it, &s->objects)
        object_free(it.value);
    map_deinit(&s->objects);
    mem_free(s);
}

void sources_hold(struct sources *s, enum kind kind, const char *namespace, const char *name)
{
    char key[KEY_BYTES_MAX];
    char field[KEY_BYTES_MAX];
    struct str k = key_of(key, kind, namespace, name);
    struct source_object *o = map_get(&s->objects, k);
    if (o != NULL) {
        o->holders++;
        return;
    }
    o = mem_alloc(sizeof *o);
    o->sources = s;
    o->kind = kind;
    o->namespace = mem_strdup(namespace);
    o->name = mem_strdup(name);
    o->holders = 1;
    (void)snprintf(field, sizeof field, "metadata.name=%s", name);
    o->reflector = reflector_new(&(struct reflector_config){ .client = s->client,
                                                             .kind = kind,
                                                             .namespace = str_from(namespace),
                                                             .field_selector = str_from(field),
                                                             .upsert = on_upsert,
                                                             .removed = on_removed,
                                                             .advanced = on_advanced,
                                                             .ctx = o });
    (void)map_put(&s->objects, k, o);
    reflector_start(o->reflector);
}

void sources_drop(struct sources *s, enum kind kind, const char *namespace, const char *name)
{
    char key[KEY_BYTES_MAX];
    struct str k = key_of(key, kind, namespace, name);
    struct source_object *o = map_get(&s->objects, k);
    ASSERT(o != NULL);
    if (--o->holders > 0)
        return;
    (void)map_remove(&s->objects, k);
    object_free(o);
}

/* ---- reading ---- */

/* Entries of ConfigMap.data, binaryData and Secret.data are the same message but for its type. */
struct data_entry {
    ProtobufCMessage base;
    char *key;
    protobuf_c_boolean has_value;
    ProtobufCBinaryData value;
};

static void add(struct source_entry *out, size_t *count, void *entries, size_t n)
{
    struct data_entry **list = entries;
    for (size_t i = 0; i < n; i++)
        out[(*count)++] = (struct source_entry){ str_from(list[i]->key),
                                                 str_of(list[i]->value.data, list[i]->value.len) };
}

static int by_key(const void *x, const void *y)
{
    return str_cmp(((const struct source_entry *)x)->key, ((const struct source_entry *)y)->key);
}

int sources_read(struct sources *s, struct arena *a, enum kind kind, const char *namespace,
                 const char *name, struct source_entry **out, size_t *out_count, struct err *e)
{
    char key[KEY_BYTES_MAX];
    struct source_object *o = map_get(&s->objects, key_of(key, kind, namespace, name));
    const void *object;
    size_t count = 0;
    if (o == NULL || !reflector_synced(o->reflector))
        return err_set(e, ERR_AGAIN, "%s %s/%s is not read yet", kind_info(kind)->singular,
                       namespace, name);
    int rc = lister_get(reflector_lister(o->reflector), a, str_from(namespace), str_from(name),
                        &object, e);
    if (rc != 0)
        return rc;
    struct source_entry *entries;
    if (kind == KIND_SECRET) {
        const Secret *secret = object;
        entries = arena_array(a, secret->n_data, sizeof *entries);
        add(entries, &count, secret->data, secret->n_data);
    } else {
        const ConfigMap *map = object;
        entries = arena_array(a, map->n_data + map->n_binary_data, sizeof *entries);
        add(entries, &count, map->data, map->n_data);
        add(entries, &count, map->binary_data, map->n_binary_data);
    }
    if (count > 0)
        qsort(entries, count, sizeof *entries, by_key);
    *out = entries;
    *out_count = count;
    return 0;
}
