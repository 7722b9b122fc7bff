/* Environment of a container: names, and where values come from. */
#include <string.h>

#include "api/proto/core.pb-c.h"
#include "api/schema/err_list.h"
#include "base/arena.h"
#include "controlplane/resources/pod.h"
#include "controlplane/resources/quantities.h"

#define MEMORY_DIVISORS "1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei"

static const char *const env_fields[] = { "metadata.name",
                                          "metadata.namespace",
                                          "metadata.uid",
                                          "spec.nodeName",
                                          "spec.serviceAccountName",
                                          "status.hostIP",
                                          "status.hostIPs",
                                          "status.podIP",
                                          "status.podIPs",
                                          NULL };
static const char *const volume_fields[] = { "metadata.annotations", "metadata.labels",
                                             "metadata.name",        "metadata.namespace",
                                             "metadata.uid",         NULL };
/* Fields that have a meaning at all; each place allows a part of them. */
static const char *const known_fields[] = {
    "metadata.annotations", "metadata.labels", "metadata.name",      "metadata.namespace",
    "metadata.uid",         "spec.nodeName",   "spec.restartPolicy", "spec.serviceAccountName",
    "spec.schedulerName",   "spec.host",       "status.phase",       "status.hostIP",
    "status.hostIPs",       "status.podIP",    "status.podIPs",      NULL
};

static bool listed(const char *const *list, const char *text)
{
    for (; *list != NULL; list++) {
        if (text_eq(*list, text))
            return true;
    }
    return false;
}

static bool begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* ---- a field of the pod ---- */

/* metadata.labels['key'] into its two parts. */
static bool split_subscript(struct str field, struct str *path, struct str *key)
{
    ptrdiff_t at = str_find(field, str_lit("['"));
    if (at <= 0 || !str_ends(field, str_lit("']")))
        return false;
    *path = str_slice(field, 0, (size_t)at);
    *key = str_slice(field, (size_t)at + 2, field.len - 2);
    return true;
}

static void refuse_field(const struct field_path *p, const char *field, const char *why,
                         const char *what, struct err_list *out)
{
    struct str detail = str_printf(out->arena, "error converting fieldPath: %s: %s", why, what);
    rule_invalid_text(out, p, field, str_dup(out->arena, detail));
}

/* Keys of annotations are compared without case. */
static const char *lower(struct arena *a, struct str s)
{
    char *made = arena_alloc(a, s.len + 1);
    for (size_t i = 0; i < s.len; i++)
        made[i] = (char)(s.data[i] >= 'A' && s.data[i] <= 'Z' ? s.data[i] | 0x20 : s.data[i]);
    made[s.len] = '\0';
    return made;
}

void pod_field_ref_validate(const struct ObjectFieldSelector *ref, bool volume,
                            const struct field_path *p, struct err_list *out)
{
    struct field_path field = path_field(p, "fieldPath");
    struct field_path version = path_field(p, "apiVersion");
    struct str path;
    struct str key;
    if (text_empty(ref->api_version)) {
        rule_required(out, &version, "");
    } else if (text_empty(ref->field_path)) {
        rule_required(out, &field, "");
    } else if (!text_eq(ref->api_version, "v1")) {
        refuse_field(&field, ref->field_path, "unsupported pod version", ref->api_version, out);
    } else if (split_subscript(str_from(ref->field_path), &path, &key)) {
        if (str_eq_c(path, "metadata.annotations"))
            (void)check_name(out, p, lower(out->arena, key), name_qualified);
        else if (str_eq_c(path, "metadata.labels"))
            (void)check_name(out, p, str_dup(out->arena, key), name_qualified);
        else
            refuse_field(&field, ref->field_path, "field label does not support subscript",
                         ref->field_path, out);
    } else if (!listed(known_fields, ref->field_path)) {
        refuse_field(&field, ref->field_path, "field label not supported", ref->field_path, out);
    } else if (!volume && text_eq(ref->field_path, "spec.host")) {
        return; /* spec.nodeName by its old name */
    } else {
        (void)check_one_of(out, &field, ref->field_path, volume ? volume_fields : env_fields);
    }
}

/* ---- a resource of a container ---- */

static void validate_divisor(const ResourceFieldSelector *ref, const struct field_path *up,
                             struct err_list *out)
{
    static const char *const of_cpu[] = { "1", "1m", NULL };
    static const char *const of_bytes[] = { "1",   "1k",  "1M",  "1G",  "1T",  "1P",  "1E",
                                            "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei", NULL };
    struct field_path p = path_field(up, "divisor");
    struct quantity q;
    const char *text = ref->divisor == NULL ? "" : text_of(ref->divisor->string);
    if (text[0] == '\0' || quantity_parse(str_from(text), &q, NULL) < 0 || q.nanos == 0)
        return;
    const char *name = text_of(ref->resource);
    const char *shown = quantity_shown(out->arena, &q);
    bool cpu = text_eq(name, "limits.cpu") || text_eq(name, "requests.cpu");
    const char *kind = NULL;
    if (text_eq(name, "limits.memory") || text_eq(name, "requests.memory"))
        kind = "memory";
    else if (text_eq(name, "limits.ephemeral-storage") ||
             text_eq(name, "requests.ephemeral-storage"))
        kind = "local ephemeral storage";
    else if (begins(name, "limits.hugepages-") || begins(name, "requests.hugepages-"))
        kind = "hugepages";
    if (cpu && !listed(of_cpu, shown))
        rule_invalid_text(out, &p, name,
                          "only divisor's values 1m and 1 are supported with the cpu resource");
    if (kind != NULL && !listed(of_bytes, shown)) {
        struct str detail = str_printf(
            out->arena,
            "only divisor's values " MEMORY_DIVISORS " are supported with the %s resource", kind);
        rule_invalid_text(out, &p, name, str_dup(out->arena, detail));
    }
}

void pod_resource_ref_validate(const struct ResourceFieldSelector *ref, bool volume,
                               const struct field_path *p, struct err_list *out)
{
    static const char *const resources[] = { "limits.cpu",
                                             "limits.ephemeral-storage",
                                             "limits.memory",
                                             "requests.cpu",
                                             "requests.ephemeral-storage",
                                             "requests.memory",
                                             NULL };
    struct field_path container = path_field(p, "containerName");
    struct field_path resource = path_field(p, "resource");
    const char *name = text_of(ref->resource);
    if (volume && text_empty(ref->container_name))
        rule_required(out, &container, "");
    else if (name[0] == '\0')
        rule_required(out, &resource, "");
    else if (!begins(name, "limits.hugepages-") && !begins(name, "requests.hugepages-"))
        (void)check_one_of(out, &resource, name, resources);
    validate_divisor(ref, p, out);
}

/* ---- keys of ConfigMaps, Secrets and files ---- */

static const char *reference_name(const LocalObjectReference *ref)
{
    return ref == NULL ? "" : text_of(ref->name);
}

static void validate_key_ref(const LocalObjectReference *ref, const char *key, const char *field,
                             const struct field_path *up, struct err_list *out)
{
    struct field_path p = path_field(up, field);
    struct field_path name_path = path_field(&p, "name");
    struct field_path key_path = path_field(&p, "key");
    (void)check_name(out, &name_path, reference_name(ref), name_dns1123_subdomain);
    if (text_empty(key))
        rule_required(out, &key_path, "");
    else
        (void)check_name(out, &key_path, key, name_config_key);
}

static void validate_file_ref(const FileKeySelector *ref, const struct field_path *up,
                              struct err_list *out)
{
    struct field_path p = path_field(up, "fileKeyRef");
    struct field_path key = path_field(&p, "key");
    struct field_path path = path_field(&p, "path");
    if (!text_empty(ref->key)) /* that it is there, the schema demands */
        (void)check_name(out, &key, ref->key, name_env_var);
    check_inner_path(out, &path, ref->path);
}

static void validate_value_from(const EnvVar *env, const struct field_path *up,
                                struct err_list *out)
{
    const EnvVarSource *from = env->value_from;
    if (from == NULL)
        return;
    struct field_path p = path_field(up, "valueFrom");
    struct field_path field = path_field(&p, "fieldRef");
    struct field_path resource = path_field(&p, "resourceFieldRef");
    int sources = (from->field_ref != NULL) + (from->resource_field_ref != NULL) +
                  (from->config_map_key_ref != NULL) + (from->secret_key_ref != NULL) +
                  (from->file_key_ref != NULL);
    if (from->field_ref != NULL)
        pod_field_ref_validate(from->field_ref, false, &field, out);
    if (from->resource_field_ref != NULL)
        pod_resource_ref_validate(from->resource_field_ref, false, &resource, out);
    if (from->config_map_key_ref != NULL)
        validate_key_ref(from->config_map_key_ref->local_object_reference,
                         from->config_map_key_ref->key, "configMapKeyRef", &p, out);
    if (from->secret_key_ref != NULL)
        validate_key_ref(from->secret_key_ref->local_object_reference, from->secret_key_ref->key,
                         "secretKeyRef", &p, out);
    if (from->file_key_ref != NULL)
        validate_file_ref(from->file_key_ref, &p, out);
    if (sources == 0)
        rule_invalid_text(out, &p, "",
                          "must specify one of: `fieldRef`, `resourceFieldRef`, "
                          "`configMapKeyRef`, `secretKeyRef` or `fileKeyRef`");
    else if (!text_empty(env->value))
        rule_invalid_text(out, &p, "", "may not be specified when `value` is not empty");
    else if (sources > 1)
        rule_invalid_text(out, &p, "", "may not have more than one field specified at a time");
}

/* ---- all of an object ---- */

static void validate_from_object(const LocalObjectReference *ref, const char *field,
                                 const struct field_path *up, struct err_list *out)
{
    struct field_path p = path_field(up, field);
    struct field_path name = path_field(&p, "name");
    if (reference_name(ref)[0] == '\0')
        rule_required(out, &name, "");
    else
        (void)check_name(out, &name, reference_name(ref), name_dns1123_subdomain);
}

static void validate_env_from(const Container *c, const struct field_path *up, struct err_list *out)
{
    struct field_path list = path_field(up, "envFrom"); /* where upstream finds missing sources */
    for (size_t i = 0; i < c->n_env_from; i++) {
        const EnvFromSource *from = c->env_from[i];
        struct field_path p = path_index(&list, i);
        struct field_path prefix = path_field(&p, "prefix");
        if (!text_empty(from->prefix))
            (void)check_name(out, &prefix, from->prefix, name_env_var);
        if (from->config_map_ref != NULL)
            validate_from_object(from->config_map_ref->local_object_reference, "configMapRef", &p,
                                 out);
        if (from->secret_ref != NULL)
            validate_from_object(from->secret_ref->local_object_reference, "secretRef", &p, out);
        if (from->config_map_ref == NULL && from->secret_ref == NULL)
            rule_invalid_text(out, &list, "", "must specify one of: `configMapRef` or `secretRef`");
        else if (from->config_map_ref != NULL && from->secret_ref != NULL)
            rule_invalid_text(out, &list, "",
                              "may not have more than one field specified at a time");
    }
}

void pod_container_env_validate(const struct Container *c, const struct field_path *up,
                                struct err_list *out)
{
    struct field_path env = path_field(up, "env");
    for (size_t i = 0; i < c->n_env; i++) {
        struct field_path p = path_index(&env, i);
        struct field_path name = path_field(&p, "name");
        if (text_empty(c->env[i]->name))
            rule_required(out, &name, "");
        else
            (void)check_name(out, &name, c->env[i]->name, name_env_var);
        validate_value_from(c->env[i], &p, out);
    }
    validate_env_from(c, up, out);
}
