/*
 * Upstream compares its internal structs, which have no JSON names: Go prints them under the names
 * of their fields, all of them, empty or not, one to a line. They are v1's but for the case of a
 * few letters, five fields in other places, and what PodSecurityContext holds there. Types of
 * meta/v1 are shown as everywhere.
 */
#include "controlplane/resources/pod_shown.h"

#include <ctype.h>

#include "api/proto/schemas.h"
#include "api/schema/codec.h"
#include "api/schema/json.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "controlplane/resources/line_diff.h"
#include "controlplane/resources/rules.h"

struct shown {
    struct buf *out;
    const struct json *spec; /* of a pod: for what its PodSecurityContext shows */
    unsigned depth;
    bool first; /* of the members of an object */
};

/* Names that are not v1's with a capital first letter. */
static const struct {
    const char *v1;
    const char *shown;
    const struct schema *only; /* of this message; NULL: of all */
} names[] = {
    { "apiGroup", "APIGroup", NULL },
    { "apiVersion", "APIVersion", NULL },
    { "awsElasticBlockStore", "AWSElasticBlockStore", NULL },
    { "cephfs", "CephFS", NULL },
    { "chapAuthDiscovery", "DiscoveryCHAPAuth", NULL },
    { "chapAuthSession", "SessionCHAPAuth", NULL },
    { "csi", "CSI", NULL },
    { "diskURI", "DataDiskURI", NULL },
    { "dnsConfig", "DNSConfig", NULL },
    { "dnsPolicy", "DNSPolicy", NULL },
    { "endpoints", "EndpointsName", NULL },
    { "fc", "FC", NULL },
    { "fsGroup", "FSGroup", NULL },
    { "fsGroupChangePolicy", "FSGroupChangePolicy", NULL },
    { "fsType", "FSType", NULL },
    { "gcePersistentDisk", "GCEPersistentDisk", NULL },
    { "gmsaCredentialSpec", "GMSACredentialSpec", NULL },
    { "gmsaCredentialSpecName", "GMSACredentialSpecName", NULL },
    { "grpc", "GRPC", NULL },
    { "httpGet", "HTTPGet", NULL },
    { "httpHeaders", "HTTPHeaders", NULL },
    { "ip", "IP", NULL },
    { "iqn", "IQN", NULL },
    { "iscsi", "ISCSI", NULL },
    { "iscsiInterface", "ISCSIInterface", NULL },
    { "nfs", "NFS", NULL },
    { "os", "OS", NULL },
    { "pdName", "PDName", NULL },
    { "rbd", "RBD", NULL },
    { "seLinuxChangePolicy", "SELinuxChangePolicy", NULL },
    { "seLinuxOptions", "SELinuxOptions", NULL },
    { "sslEnabled", "SSLEnabled", NULL },
    { "storageos", "StorageOS", NULL },
    { "tcpSocket", "TCPSocket", NULL },
    { "tty", "TTY", NULL },
    { "wwids", "WWIDs", NULL },
    { "monitors", "CephMonitors", &schema_RBDVolumeSource },
    { "image", "RBDImage", &schema_RBDVolumeSource },
    { "pool", "RBDPool", &schema_RBDVolumeSource },
    { "user", "RadosUser", &schema_RBDVolumeSource },
};

/* Fields that stand elsewhere than in v1. */
static const struct {
    const struct schema *message;
    const char *name;
    const char *after; /* NULL: not there */
} moved[] = {
    { &schema_PodSpec, "serviceAccount", NULL },
    { &schema_PodSpec, "hostNetwork", NULL },
    { &schema_PodSpec, "hostPID", NULL },
    { &schema_PodSpec, "hostIPC", NULL },
    { &schema_PodSpec, "shareProcessNamespace", NULL },
    { &schema_PodSpec, "hostUsers", NULL },
    { &schema_PodSpec, "setHostnameAsFQDN", "subdomain" },
    { &schema_PodSpec, "preemptionPolicy", "priority" },
    { &schema_PodSpec, "overhead", "runtimeClassName" },
    { &schema_VolumeSource, "quobyte", "rbd" },
    { &schema_PodSecurityContext, "fsGroupChangePolicy", "fsGroup" },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void put_value(struct shown *w, const struct schema *owner, const struct schema_field *f,
                      const struct json *value);

static void put_line(struct shown *w)
{
    buf_append_byte(w->out, '\n');
    for (unsigned i = 0; i < w->depth; i++)
        buf_append_byte(w->out, ' ');
}

static void begin(struct shown *w, char bracket)
{
    buf_append_byte(w->out, (uint8_t)bracket);
    w->depth++;
    w->first = true;
}

/* Before each item. */
static void next(struct shown *w)
{
    if (!w->first)
        buf_append_byte(w->out, ',');
    w->first = false;
    put_line(w);
}

static void end(struct shown *w, char bracket)
{
    w->depth--;
    if (!w->first)
        put_line(w);
    w->first = false;
    buf_append_byte(w->out, (uint8_t)bracket);
}

static void put_key(struct shown *w, struct str key)
{
    next(w);
    json_write_string(w->out, key, true);
    buf_append_c(w->out, ": ");
}

/* Types of meta/v1, and scalars. */
static void put_plain(struct shown *w, const struct json *j)
{
    if (j->type == JSON_ARRAY && j->count > 0) {
        begin(w, '[');
        for (size_t i = 0; i < j->count; i++) {
            next(w);
            put_plain(w, &j->u.items[i]);
        }
        end(w, ']');
    } else if (j->type == JSON_OBJECT) {
        begin(w, '{');
        for (size_t i = 0; i < j->count; i++) {
            put_key(w, j->u.members[i].key);
            put_plain(w, &j->u.members[i].value);
        }
        end(w, '}');
    } else {
        json_write(w->out, j, true);
    }
}

/* ---- fields ---- */

static void put_name(struct shown *w, const struct schema *owner, struct str name)
{
    for (size_t i = 0; i < COUNT(names); i++) {
        if (str_eq_c(name, names[i].v1) && (names[i].only == NULL || names[i].only == owner)) {
            put_key(w, str_from(names[i].shown));
            return;
        }
    }
    next(w);
    buf_printf(w->out, "\"%c%.*s\": ", toupper((unsigned char)name.data[0]),
               STR_ARG(str_slice(name, 1, name.len)));
}

static void put_field(struct shown *w, const struct schema *owner, const struct schema_field *f,
                      const struct json *object)
{
    put_name(w, owner, f->name);
    put_value(w, owner, f, json_get(object, f->name));
}

static bool is_moved(const struct schema *s, struct str name)
{
    for (size_t i = 0; i < COUNT(moved); i++) {
        if (moved[i].message == s && str_eq_c(name, moved[i].name))
            return true;
    }
    return false;
}

static void put_moved_after(struct shown *w, const struct schema *s, struct str name,
                            const struct json *object)
{
    for (size_t i = 0; i < COUNT(moved); i++) {
        if (moved[i].message == s && moved[i].after != NULL && str_eq_c(name, moved[i].after))
            put_field(w, s, schema_find_field(s, str_from(moved[i].name)), object);
    }
}

static void put_host_fields(struct shown *w)
{
    static const char *const of_spec[] = { "hostNetwork", "hostPID", "hostIPC",
                                           "shareProcessNamespace", "hostUsers" };
    for (size_t i = 0; i < COUNT(of_spec); i++)
        put_field(w, &schema_PodSpec, schema_find_field(&schema_PodSpec, str_from(of_spec[i])),
                  w->spec);
}

/* A claim's template holds metadata without a name for it. */
static void put_members_of(struct shown *w, const struct json *metadata)
{
    for (size_t i = 0; metadata != NULL && i < metadata->count; i++) {
        put_key(w, metadata->u.members[i].key);
        put_plain(w, &metadata->u.members[i].value);
    }
}

static void put_fields(struct shown *w, const struct schema *s, const struct json *object)
{
    for (size_t i = 0; i < s->field_count && w->out->len <= POD_SHOWN_BYTES_MAX; i++) {
        const struct schema_field *f = &s->fields[i];
        if ((f->flags & SCHEMA_INLINE) != 0) {
            put_fields(w, f->message, object);
        } else if (f->message == &schema_ObjectMeta) {
            put_members_of(w, json_get(object, f->name));
        } else if (!is_moved(s, f->name)) {
            put_field(w, s, f, object);
            put_moved_after(w, s, f->name, object);
        }
    }
}

static void put_message(struct shown *w, const struct schema *s, const struct json *object)
{
    static const struct json empty = { .type = JSON_OBJECT };
    object = object == NULL ? &empty : object;
    if (s == &schema_LabelSelector) {
        put_plain(w, object);
        return;
    }
    begin(w, '{');
    if (s == &schema_PodSpec)
        w->spec = object;
    if (s == &schema_PodSecurityContext)
        put_host_fields(w);
    put_fields(w, s, object);
    end(w, '}');
}

/* ---- values ---- */

/* Pointers in v1 that are none there. */
static bool is_pointer(const struct schema *owner, const struct schema_field *f)
{
    if (owner == &schema_PodSpec && f->message == &schema_PodSecurityContext)
        return false; /* always made, for the fields of the host */
    return (f->flags & SCHEMA_POINTER) != 0 && owner != &schema_ServiceAccountTokenProjection;
}

static void put_nothing(struct shown *w, const struct schema_field *f)
{
    bool text = f->type == SCHEMA_STRING ||
                (f->type == SCHEMA_MESSAGE && f->message->form == SCHEMA_FORM_QUANTITY);
    if (f->type == SCHEMA_STRING)
        buf_append_c(w->out, "\"\"");
    else if (text)
        buf_append_c(w->out, "\"0\"");
    else
        buf_append_c(w->out, f->type == SCHEMA_BOOL ? "false" : "0");
}

static void put_list(struct shown *w, const struct schema_field *f, const struct json *list)
{
    begin(w, '[');
    for (size_t i = 0; i < list->count && w->out->len <= POD_SHOWN_BYTES_MAX; i++) {
        next(w);
        if (f->type == SCHEMA_MESSAGE)
            put_message(w, f->message, &list->u.items[i]);
        else
            put_plain(w, &list->u.items[i]);
    }
    end(w, ']');
}

static void put_value(struct shown *w, const struct schema *owner, const struct schema_field *f,
                      const struct json *value)
{
    bool object = f->type == SCHEMA_MESSAGE && f->message->form == SCHEMA_FORM_OBJECT;
    bool absent = value == NULL || value->type == JSON_NULL;
    bool nil = f->card == SCHEMA_ONE ? absent && is_pointer(owner, f) : absent || value->count == 0;
    if (nil)
        buf_append_c(w->out, "null");
    else if (f->card == SCHEMA_LIST)
        put_list(w, f, value);
    else if (f->card == SCHEMA_ONE && object)
        put_message(w, f->message, absent ? NULL : value);
    else if (absent)
        put_nothing(w, f);
    else
        put_plain(w, value); /* maps too: of text and of quantities only */
}

/* ---- the difference ---- */

/* False: it cannot be shown, or is too much. */
static bool show(struct arena *a, const struct schema *s, const void *message, struct str *out)
{
    struct buf b;
    struct err e;
    const struct json *tree = NULL;
    struct shown w = { .out = &b };
    if (schema_to_dom(a, s, schema_pack_arena(a, s, message), NULL, &tree, &e) != 0)
        return false;
    buf_init(&b);
    put_message(&w, s, tree);
    bool fits = b.len <= POD_SHOWN_BYTES_MAX;
    *out = fits ? str_copy(a, buf_str(&b)) : str_lit("");
    buf_deinit(&b);
    return fits;
}

const char *pod_shown_difference(struct arena *a, const char *detail, const struct schema *s,
                                 const void *was, const void *is, size_t *steps)
{
    struct str before;
    struct str after;
    struct buf b;
    if (!show(a, s, was, &before) || !show(a, s, is, &after))
        return detail;
    buf_init(&b);
    buf_append_c(&b, detail);
    buf_append_byte(&b, '\n');
    bool whole = line_diff(a, &b, before, after, steps);
    const char *text = whole ? str_dup(a, buf_str(&b)) : detail;
    buf_deinit(&b);
    return text;
}
