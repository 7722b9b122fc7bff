/* Which names of resources go where; every map<string, Quantity> read the same way. */
#include "controlplane/resources/quantities.h"

#include <protobuf-c/protobuf-c.h>
#include <string.h>

#include "api/proto/meta.pb-c.h"
#include "api/schema/err_list.h"
#include "base/arena.h"

struct quantity_entry {
    ProtobufCMessage base;
    char *key;
    Quantity *value;
};

static const struct quantity_entry *entry_at(const void *entries, size_t i)
{
    return ((const struct quantity_entry *const *)entries)[i];
}

const char *quantities_key(const struct quantities *q, size_t i)
{
    return text_of(entry_at(q->entries, i)->key);
}

const char *quantities_text(const struct quantities *q, size_t i)
{
    const Quantity *value = entry_at(q->entries, i)->value;
    return value == NULL || text_empty(value->string) ? "0" : value->string;
}

bool quantities_value(const struct quantities *q, size_t i, struct quantity *out)
{
    return quantity_parse(str_from(quantities_text(q, i)), out, NULL) == 0;
}

bool quantities_get(const struct quantities *q, const char *key, struct quantity *out)
{
    for (size_t i = 0; i < q->count; i++) {
        if (text_eq(quantities_key(q, i), key))
            return quantities_value(q, i, out);
    }
    return false;
}

struct keys quantities_names(struct arena *a, const struct quantities *q)
{
    struct keys names = keys_new(a, q->count);
    for (size_t i = 0; i < q->count; i++)
        keys_add(&names, (struct key){ .text = quantities_key(q, i) });
    keys_sort(&names);
    return names;
}

bool quantities_find(const struct quantities *q, const struct keys *names, const char *key,
                     struct quantity *out)
{
    ptrdiff_t at = keys_find(names, (struct key){ .text = key });
    return at >= 0 && quantities_value(q, (size_t)at, out);
}

void quantities_add_missing(struct arena *a, void *entries, size_t *count, const void *descriptor,
                            const struct quantities *from)
{
    const ProtobufCMessageDescriptor *d = descriptor;
    struct quantity_entry **old;
    struct quantity ignored;
    memcpy(&old, entries, sizeof(old));
    struct quantity_entry **all = arena_array(a, *count + from->count, sizeof(*all));
    struct quantities now = { .entries = all, .count = *count };
    if (*count > 0)
        memcpy(all, old, *count * sizeof(*all));
    struct keys names = quantities_names(a, &now);
    for (size_t i = 0; i < from->count; i++) {
        if (quantities_find(&now, &names, quantities_key(from, i), &ignored))
            continue;
        struct quantity_entry *entry = arena_alloc(a, d->sizeof_message);
        protobuf_c_message_init(d, entry);
        entry->key = entry_at(from->entries, i)->key;
        entry->value = entry_at(from->entries, i)->value;
        all[now.count++] = entry;
    }
    *count = now.count;
    memcpy(entries, &all, sizeof(*all));
}

const char *quantity_shown(struct arena *a, const struct quantity *q)
{
    char text[QUANTITY_TEXT_MAX];
    (void)quantity_format(q, text);
    return text_new(a, text);
}

/* ---- names ---- */

static bool listed(const char *const *names, const char *name)
{
    for (; *names != NULL; names++) {
        if (text_eq(*names, name))
            return true;
    }
    return false;
}

static bool begins(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* Counted in whole objects. */
static const char *const counted[] = { "pods",
                                       "services",
                                       "replicationcontrollers",
                                       "resourcequotas",
                                       "secrets",
                                       "configmaps",
                                       "persistentvolumeclaims",
                                       "services.nodeports",
                                       "services.loadbalancers",
                                       NULL };
static const char *const of_containers[] = { "cpu", "memory", "ephemeral-storage", NULL };
static const char *const sums[] = {
    "requests.cpu", "requests.memory", "requests.storage",         "requests.ephemeral-storage",
    "limits.cpu",   "limits.memory",   "limits.ephemeral-storage", NULL
};

static bool is_huge(const char *name)
{
    return begins(name, "hugepages-");
}

bool resource_is_quota(const char *name)
{
    return listed(of_containers, name) || listed(sums, name) || listed(counted, name) ||
           is_huge(name) || begins(name, "requests.hugepages-");
}

bool check_resource_name(struct err_list *out, const struct field_path *p, const char *name)
{
    if (!check_name(out, p, name, name_qualified))
        return false;
    if (strchr(name, '/') != NULL || text_eq(name, "storage") || resource_is_quota(name))
        return true;
    rule_invalid_text(out, p, name, "must be a standard resource type or fully qualified");
    return false;
}

/* Ours to name: no domain, or kubernetes.io's. */
static bool is_native(const char *name)
{
    return strchr(name, '/') == NULL || strstr(name, "kubernetes.io/") != NULL;
}

bool resource_is_huge_pages(const char *name)
{
    return is_huge(name);
}

bool resource_is_whole(const char *name)
{
    return listed(counted, name) || (!is_native(name) && !begins(name, "requests."));
}

void check_container_resource_name(struct err_list *out, const struct field_path *p,
                                   const char *name)
{
    (void)check_resource_name(out, p, name); /* what is no resource at all is told both */
    if (strchr(name, '/') == NULL) {
        if (!listed(of_containers, name) && !is_huge(name))
            rule_invalid_text(out, p, name, "must be a standard resource for containers");
    } else if (!is_native(name) && begins(name, "requests.")) {
        rule_invalid_text(out, p, name, "doesn't follow extended resource name standard");
    }
}

void check_quota_resource(struct err_list *out, const struct field_path *p, const char *name,
                          const struct quantity *amount)
{
    bool qualified = strchr(name, '/') != NULL;
    (void)check_resource_name(out, p, name);
    if (!qualified && !resource_is_quota(name))
        rule_invalid_text(out, p, name, "must be a standard resource for quota");
    if (amount->nanos < 0)
        rule_invalid_text(out, p, quantity_shown(out->arena, amount),
                          "must be greater than or equal to 0");
    if (resource_is_whole(name) && quantity_milli(amount) % 1000 != 0)
        rule_invalid_text(out, p, quantity_shown(out->arena, amount), "must be an integer");
}

bool resource_overcommits(const char *name)
{
    return is_native(name) && !is_huge(name);
}
