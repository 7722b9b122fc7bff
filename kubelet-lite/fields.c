/* Field references (see the header). */
#include "kubelet-lite/fields.h"

#include <stdlib.h>
#include <string.h>

#include "api/meta/quantity.h"
#include "api/proto/core.pb-c.h"
#include "base/arena.h"
#include "base/buf.h"
#include "kubelet-lite/resources.h"

struct pair {
    ProtobufCMessage base;
    char *key;
    char *value;
};

static const char *text(const char *s)
{
    return s != NULL ? s : "";
}

static int by_key(const void *x, const void *y)
{
    return strcmp((*(struct pair *const *)x)->key, (*(struct pair *const *)y)->key);
}

/* key="value" lines, sorted, the value quoted as Go's %q quotes it. */
static struct str map_lines(struct arena *a, void *entries, size_t count)
{
    struct pair **sorted = arena_copy(a, entries, count * sizeof *sorted);
    struct buf b;
    buf_init(&b);
    if (count > 0)
        qsort(sorted, count, sizeof *sorted, by_key);
    for (size_t i = 0; i < count; i++) {
        buf_printf(&b, "%s=\"", sorted[i]->key);
        for (const char *c = text(sorted[i]->value); *c != '\0'; c++) {
            if (*c == '"' || *c == '\\')
                buf_printf(&b, "\\%c", *c);
            else if (*c == '\n')
                buf_append_c(&b, "\\n");
            else if (*c == '\t')
                buf_append_c(&b, "\\t");
            else if (*c == '\r')
                buf_append_c(&b, "\\r");
            else
                buf_append_byte(&b, (uint8_t)*c);
        }
        buf_append_c(&b, i + 1 < count ? "\"\n" : "\"");
    }
    struct str out = str_copy(a, buf_str(&b));
    buf_deinit(&b);
    return out;
}

static struct str map_value(void *entries, size_t count, struct str key)
{
    struct pair **pairs = entries;
    for (size_t i = 0; i < count; i++)
        if (str_eq_c(key, pairs[i]->key))
            return str_from(text(pairs[i]->value));
    return (struct str){ "", 0 };
}

/* metadata.labels['key'] or metadata.annotations['key']; false: it is something else. */
static bool subscript(struct str path, struct str prefix, struct str *out_key)
{
    if (!str_starts(path, prefix) || path.len < prefix.len + 4)
        return false;
    struct str rest = str_slice(path, prefix.len, path.len);
    if (!str_starts(rest, str_lit("['")) || !str_ends(rest, str_lit("']")))
        return false;
    *out_key = str_slice(rest, 2, rest.len - 2);
    return true;
}

int field_value(struct arena *a, const struct Pod *pod, const struct pod_facts *facts,
                const struct ObjectFieldSelector *ref, struct str *out, struct err *e)
{
    const ObjectMeta *meta = pod->metadata;
    struct str path = str_from(text(ref->field_path));
    struct str key;
    const struct {
        const char *path;
        const char *value;
    } plain[] = { { "metadata.name", meta->name },
                  { "metadata.namespace", meta->namespace_ },
                  { "metadata.uid", meta->uid },
                  { "spec.nodeName", pod->spec->node_name },
                  { "spec.serviceAccountName", pod->spec->service_account_name },
                  { "status.hostIP", facts->host_ip },
                  { "status.hostIPs", facts->host_ip },
                  { "status.podIP", facts->pod_ip },
                  { "status.podIPs", facts->pod_ip } };
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        if (str_eq_c(path, plain[i].path)) {
            *out = str_from(text(plain[i].value));
            return 0;
        }
    }
    if (str_eq_c(path, "metadata.labels"))
        *out = map_lines(a, meta->labels, meta->n_labels);
    else if (str_eq_c(path, "metadata.annotations"))
        *out = map_lines(a, meta->annotations, meta->n_annotations);
    else if (subscript(path, str_lit("metadata.labels"), &key))
        *out = map_value(meta->labels, meta->n_labels, key);
    else if (subscript(path, str_lit("metadata.annotations"), &key))
        *out = map_value(meta->annotations, meta->n_annotations, key);
    else
        return err_set(e, ERR_INVALID_ARGUMENT, "unsupported fieldPath: %.*s", STR_ARG(path));
    return 0;
}

static const struct Container *container_named(const struct Pod *pod, const char *name)
{
    for (size_t i = 0; i < pod->spec->n_containers; i++)
        if (strcmp(text(pod->spec->containers[i]->name), name) == 0)
            return pod->spec->containers[i];
    for (size_t i = 0; i < pod->spec->n_init_containers; i++)
        if (strcmp(text(pod->spec->init_containers[i]->name), name) == 0)
            return pod->spec->init_containers[i];
    return NULL;
}

/* The amount in thousandths of its unit. */
static int amount_milli(const struct Container *c, const struct pod_facts *facts, const char *which,
                        int64_t *out, struct err *e)
{
    struct amounts limits;
    struct amounts requests;
    resource_limits(c->resources, &limits);
    resource_requests(c->resources, &requests);
    if (strcmp(which, "limits.cpu") == 0)
        *out = limits.cpu_milli > 0 ? limits.cpu_milli : facts->node_cpu_milli;
    else if (strcmp(which, "limits.memory") == 0)
        *out = (limits.memory > 0 ? limits.memory : facts->node_memory) * 1000;
    else if (strcmp(which, "requests.cpu") == 0)
        *out = requests.cpu_milli;
    else if (strcmp(which, "requests.memory") == 0)
        *out = requests.memory * 1000;
    else
        return err_set(e, ERR_INVALID_ARGUMENT, "unsupported container resource: %s", which);
    return 0;
}

int resource_field_value(struct arena *a, const struct Pod *pod, const struct pod_facts *facts,
                         const struct Container *self, const struct ResourceFieldSelector *ref,
                         struct str *out, struct err *e)
{
    const char *name = text(ref->container_name);
    const struct Container *c = name[0] != '\0' ? container_named(pod, name) : self;
    if (c == NULL)
        return err_set(e, ERR_INVALID_ARGUMENT, "container %s not found", name);
    int64_t milli = 0;
    int rc = amount_milli(c, facts, text(ref->resource), &milli, e);
    if (rc != 0)
        return rc;
    int64_t divisor = 1000;
    struct quantity q;
    if (ref->divisor != NULL && text(ref->divisor->string)[0] != '\0' &&
        quantity_parse(str_from(ref->divisor->string), &q, NULL) == 0 && quantity_milli(&q) > 0)
        divisor = quantity_milli(&q);
    *out = str_printf(a, "%lld", (long long)((milli + divisor - 1) / divisor));
    return 0;
}

const struct source_entry *source_find(const struct source_entry *entries, size_t count,
                                       const char *key)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq_c(entries[i].key, key))
            return &entries[i];
    return NULL;
}
