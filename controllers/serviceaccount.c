/*
 * Two small controllers of what every active namespace has: the ServiceAccount default, and the
 * ConfigMap kube-root-ca.crt with the certificate pods check the API server with.
 */
#include "controllers/serviceaccount.h"

#include <string.h>

#include "api/schema/codec.h"
#include "base/arena.h"
#include "controllers/objects.h"

#define ACCOUNT_NAME "default"
#define ROOT_CA_NAME "kube-root-ca.crt"
#define ROOT_CA_KEY  "ca.crt"

static bool namespace_active(struct world *w, struct str name)
{
    const Namespace *ns = world_get(w, KIND_NAMESPACE, str_of(NULL, 0), name);

    return ns != NULL && !meta_deleting(ns->metadata);
}

static ObjectMeta *new_meta(struct world *w, struct str namespace, const char *name)
{
    ObjectMeta *meta = arena_new(w->arena, ObjectMeta);

    object_meta__init(meta);
    meta->namespace_ = str_dup(w->arena, namespace);
    meta->name = str_dup(w->arena, str_from(name));
    return meta;
}

/* The namespace of any object, as a key of the namespace. */
static void enqueue_namespace(struct enqueue *q, const struct change *c, const char *name)
{
    if (str_eq_c(c->now->name, name))
        enqueue_key(q, KIND_NAMESPACE, str_of(NULL, 0), c->now->namespace);
}

/* ---- the default account ---- */

static int serviceaccount_reconcile(struct world *w, const struct key *k, struct actions *out,
                                    struct err *e)
{
    ServiceAccount *sa;

    (void)e; /* nothing here can fail */
    if (!namespace_active(w, k->name) ||
        world_get(w, KIND_SERVICE_ACCOUNT, k->name, str_lit(ACCOUNT_NAME)) != NULL)
        return 0;
    sa = schema_new(w->arena, kind_info(KIND_SERVICE_ACCOUNT)->schema);
    sa->metadata = new_meta(w, k->name, ACCOUNT_NAME);
    (void)actions_create(out, KIND_SERVICE_ACCOUNT, sa);
    return 0;
}

static void enqueue_account(struct enqueue *q, const struct change *c)
{
    enqueue_namespace(q, c, ACCOUNT_NAME);
}

static const struct watch serviceaccount_watches[] = { { KIND_NAMESPACE, enqueue_self },
                                                       { KIND_SERVICE_ACCOUNT, enqueue_account },
                                                       { KIND_NONE, NULL } };

const struct controller serviceaccount_controller = { .name = "serviceaccount",
                                                      .component = "serviceaccount-controller",
                                                      .kind = KIND_NAMESPACE,
                                                      .watches = serviceaccount_watches,
                                                      .reconcile = serviceaccount_reconcile };

/* ---- the root certificate ---- */

static bool holds_ca(const ConfigMap *map, struct str pem)
{
    for (size_t i = 0; i < map->n_data; i++)
        if (text_eq(map->data[i]->key, ROOT_CA_KEY))
            return str_eq(str_of(map->data[i]->value.data, map->data[i]->value.len), pem);
    return false;
}

static void set_ca(struct world *w, ConfigMap *map, struct str pem)
{
    ConfigMap__DataEntry *entry = arena_new(w->arena, ConfigMap__DataEntry);
    size_t n = 0;
    ConfigMap__DataEntry **data =
        arena_array(w->arena, map->n_data + 1, sizeof(ConfigMap__DataEntry *));

    config_map__data_entry__init(entry);
    entry->key = str_dup(w->arena, str_lit(ROOT_CA_KEY));
    entry->has_value = 1;
    entry->value.data = arena_copy(w->arena, pem.data, pem.len);
    entry->value.len = pem.len;
    for (size_t i = 0; i < map->n_data; i++)
        if (!text_eq(map->data[i]->key, ROOT_CA_KEY))
            data[n++] = map->data[i];
    data[n++] = entry;
    map->data = data;
    map->n_data = n;
}

static int rootca_reconcile(struct world *w, const struct key *k, struct actions *out,
                            struct err *e)
{
    struct str pem = w->flags->root_ca_pem;
    const ConfigMap *old;
    ConfigMap *map;

    (void)e; /* nothing here can fail */
    if (pem.len == 0 || !namespace_active(w, k->name))
        return 0;
    old = world_get(w, KIND_CONFIG_MAP, k->name, str_lit(ROOT_CA_NAME));
    if (old != NULL && holds_ca(old, pem))
        return 0;
    if (old != NULL) {
        map = changed_copy(w->arena, old);
        set_ca(w, map, pem);
        (void)actions_update(out, KIND_CONFIG_MAP, map);
        return 0;
    }
    map = schema_new(w->arena, kind_info(KIND_CONFIG_MAP)->schema);
    map->metadata = new_meta(w, k->name, ROOT_CA_NAME);
    meta_set_annotation(w->arena, map->metadata, "kubernetes.io/description",
                        "Contains a CA bundle that can be used to verify the kube-apiserver when "
                        "using internal endpoints such as the internal service IP or "
                        "kubernetes.default.svc. No other usage is guaranteed across "
                        "distributions of Kubernetes clusters.");
    set_ca(w, map, pem);
    (void)actions_create(out, KIND_CONFIG_MAP, map);
    return 0;
}

static void enqueue_root_ca(struct enqueue *q, const struct change *c)
{
    enqueue_namespace(q, c, ROOT_CA_NAME);
}

static const struct watch rootca_watches[] = { { KIND_NAMESPACE, enqueue_self },
                                               { KIND_CONFIG_MAP, enqueue_root_ca },
                                               { KIND_NONE, NULL } };

static bool rootca_reads(enum kind kind, const struct lister_item *item)
{
    return kind != KIND_CONFIG_MAP || str_eq_c(item->name, ROOT_CA_NAME);
}

const struct controller rootca_controller = { .name = "rootca",
                                              .component = "root-ca-certificate-publisher",
                                              .kind = KIND_NAMESPACE,
                                              .watches = rootca_watches,
                                              .reads = rootca_reads,
                                              .reconcile = rootca_reconcile };
