/* kubeconfig files (see kubeconfig.h): YAML to a tree, then lookups by name. */
#include "api/client/kubeconfig.h"

#include <string.h>

#include "api/schema/json.h"
#include "api/schema/yaml.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/env.h"

struct reading {
    struct env *env;
    struct arena *arena;
    const char *folder;
    const struct json *root;
    struct err *e;
};

/* The member `what` of the item called name in one of the root's lists ("clusters" -> "cluster").
 */
static const struct json *find_named(const struct json *root, const char *list, const char *what,
                                     struct str name)
{
    const struct json *items = json_get_c(root, list);

    if (items == NULL || items->type != JSON_ARRAY)
        return NULL;
    for (uint32_t i = 0; i < items->count; i++)
        if (str_eq(json_str(json_get_c(&items->u.items[i], "name")), name))
            return json_get_c(&items->u.items[i], what);
    return NULL;
}

static struct str text_at(const struct json *object, const char *name)
{
    const struct json *value = json_get_c(object, name);

    return value != NULL ? json_str(value) : str_of(NULL, 0);
}

/* FIELD-data (base64) wins over FIELD (a file), as upstream. Empty when neither is there. */
static int read_pem(const struct reading *r, const struct json *object, const char *field,
                    struct str *out)
{
    struct str data = text_at(object, str_printf(r->arena, "%s-data", field).data);
    struct str file = text_at(object, field);
    int rc;

    *out = str_of(NULL, 0);
    if (data.len > 0) {
        rc = str_base64_decode(r->arena, data, out);
        return rc == 0 ? 0 : err_set(r->e, ERR_PARSE, "%s-data is not base64", field);
    }
    if (file.len == 0)
        return 0;
    if (file.data[0] != '/')
        file = str_printf(r->arena, "%s/%.*s", r->folder, STR_ARG(file));
    rc = env_file_read(r->env, r->arena, str_dup(r->arena, file), KUBECONFIG_BYTES_MAX, out, r->e);
    return rc == 0 ? 0 : err_wrap(r->e, rc, "%s", field);
}

static int refuse_fields(const struct reading *r, const struct json *object, const char *where,
                         const char *const *fields)
{
    for (; *fields != NULL; fields++)
        if (json_get_c(object, *fields) != NULL)
            return err_set(r->e, ERR_UNIMPLEMENTED, "%s.%s is not supported", where, *fields);
    return 0;
}

static int read_cluster(const struct reading *r, struct kubeconfig *k)
{
    static const char *const unsupported[] = { "proxy-url", "insecure-skip-tls-verify", NULL };
    const struct json *cluster = find_named(r->root, "clusters", "cluster", k->cluster);
    int rc;

    if (cluster == NULL)
        return err_set(r->e, ERR_NOT_FOUND, "there is no cluster \"%.*s\"", STR_ARG(k->cluster));
    rc = refuse_fields(r, cluster, "cluster", unsupported);
    if (rc != 0)
        return rc;
    k->server = text_at(cluster, "server");
    if (k->server.len == 0)
        return err_set(r->e, ERR_INVALID_ARGUMENT, "cluster \"%.*s\" has no server",
                       STR_ARG(k->cluster));
    k->tls_server_name = text_at(cluster, "tls-server-name");
    return read_pem(r, cluster, "certificate-authority", &k->ca_pem);
}

static int read_user(const struct reading *r, struct kubeconfig *k)
{
    static const char *const unsupported[] = { "exec",      "auth-provider", "token",
                                               "tokenFile", "username",      "as",
                                               NULL };
    const struct json *user = find_named(r->root, "users", "user", k->user);
    int rc;

    if (user == NULL)
        return err_set(r->e, ERR_NOT_FOUND, "there is no user \"%.*s\"", STR_ARG(k->user));
    rc = refuse_fields(r, user, "user", unsupported);
    if (rc == 0)
        rc = read_pem(r, user, "client-certificate", &k->client_cert_pem);
    if (rc == 0)
        rc = read_pem(r, user, "client-key", &k->client_key_pem);
    if (rc == 0 && (k->client_cert_pem.len == 0) != (k->client_key_pem.len == 0))
        rc = err_set(r->e, ERR_INVALID_ARGUMENT,
                     "client-certificate and client-key belong together");
    return rc;
}

/* The servers of the other contexts with this user, behind the one of the context itself. */
static void add_other_servers(const struct reading *r, struct kubeconfig *k)
{
    const struct json *contexts = json_get_c(r->root, "contexts");
    struct buf b;

    buf_init(&b);
    buf_append_str(&b, k->server);
    for (uint32_t i = 0; i < contexts->count; i++) {
        const struct json *context = json_get_c(&contexts->u.items[i], "context");
        struct str cluster = text_at(context, "cluster");
        const struct json *found = find_named(r->root, "clusters", "cluster", cluster);
        struct str server = found != NULL ? text_at(found, "server") : str_of(NULL, 0);

        if (server.len == 0 || str_eq(cluster, k->cluster) ||
            !str_eq(text_at(context, "user"), k->user))
            continue;
        buf_append_byte(&b, ',');
        buf_append_str(&b, server);
    }
    k->server = str_copy(r->arena, buf_str(&b));
    buf_deinit(&b);
}

int kubeconfig_parse(struct env *env, struct arena *a, struct str text, const char *folder,
                     struct str context, struct kubeconfig *out, struct err *e)
{
    struct reading r = { .env = env, .arena = a, .folder = folder, .e = e };
    struct kubeconfig k = { 0 };
    bool all = str_eq_c(context, "*");
    const struct json *found;
    int rc = yaml_parse(a, text, &r.root, e);

    if (rc != 0)
        return err_wrap(e, rc, "kubeconfig");
    k.context = context.len > 0 && !all ? context : text_at(r.root, "current-context");
    found = find_named(r.root, "contexts", "context", k.context);
    if (found == NULL)
        return err_set(e, ERR_NOT_FOUND, "kubeconfig: there is no context \"%.*s\"",
                       STR_ARG(k.context));
    k.cluster = text_at(found, "cluster");
    k.user = text_at(found, "user");
    k.namespace = text_at(found, "namespace");
    rc = read_cluster(&r, &k);
    if (rc == 0)
        rc = read_user(&r, &k);
    if (rc != 0)
        return err_wrap(e, rc, "kubeconfig");
    if (all)
        add_other_servers(&r, &k);
    *out = k;
    return 0;
}

int kubeconfig_load(struct env *env, struct arena *a, const char *path, struct str context,
                    struct kubeconfig *out, struct err *e)
{
    const char *slash = strrchr(path, '/');
    const char *folder = slash == NULL ? "." : str_dup(a, str_of(path, (size_t)(slash - path)));
    struct str text;
    int rc = env_file_read(env, a, path, KUBECONFIG_BYTES_MAX, &text, e);

    if (rc != 0)
        return err_wrap(e, rc, "kubeconfig %s", path);
    return kubeconfig_parse(env, a, text, folder, context, out, e);
}
