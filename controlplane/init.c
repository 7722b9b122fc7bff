/* See init.h: a plan from the flags, then files, the CA key last. */
#include "controlplane/init.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/env.h"
#include "base/str.h"
#include "controlplane/identity.h"
#include "net/pki.h"
#include "store/roster.h"
#include "store/store.h"

/* Certificates live long: rotation comes with identity. */
#define INIT_CA_DAYS   3650
#define INIT_NODES_MAX 64
/* gantry-member-NAME is a certificate's common name: 64 bytes. */
#define INIT_NAME_BYTES_MAX 48

struct init_host {
    struct str name;
    struct str address;
    struct str server; /* URL that the administrator reaches a member by */
};

struct init_plan {
    struct env *env;
    struct arena *arena;
    const char *out;
    struct init_host members[STORE_MEMBERS_MAX];
    size_t members_count;
    struct init_host nodes[INIT_NODES_MAX];
    size_t nodes_count;
    struct pki_pair ca;
    uint64_t now_s;
};

static const char init_usage[] =
    "usage: gantryd init --out FOLDER --member NAME=ADDRESS... [--member-server NAME=URL]... "
    "[--node NAME=ADDRESS]...";

static int init_host_parse(const char *text, struct init_host *out, struct err *e)
{
    struct str rest = str_from(text);
    struct str name;
    if (!str_split(&rest, '=', &name) || name.len == 0 || rest.data == NULL || rest.len == 0)
        return err_set(e, ERR_INVALID_ARGUMENT, "'%s' is not NAME=VALUE; %s", text, init_usage);
    *out = (struct init_host){ .name = name, .address = rest };
    return 0;
}

static struct init_host *init_member(struct init_plan *plan, struct str name)
{
    for (size_t i = 0; i < plan->members_count; i++) {
        if (str_eq(plan->members[i].name, name))
            return &plan->members[i];
    }
    return NULL;
}

/* A name becomes a folder and a word of cluster.conf; an address goes into certificates. */
static int init_check_host(const char *flag, const struct init_host *host, struct err *e)
{
    uint8_t address[16];
    char text[64];
    bool name = host->name.len <= INIT_NAME_BYTES_MAX && host->name.data[0] != '.';
    for (size_t i = 0; i < host->name.len; i++) {
        char c = host->name.data[i];
        name = name && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.');
    }
    /* Also the key of its row. */
    if (strcmp(flag, "--member") == 0)
        name = host->name.len <= INIT_NAME_BYTES_MAX && roster_name_is_good(host->name);
    if (!name)
        return err_set(e, ERR_INVALID_ARGUMENT, "%s: the name '%.*s' is not 1 to %d of [a-z0-9.-]",
                       flag, STR_ARG(host->name), INIT_NAME_BYTES_MAX);
    (void)snprintf(text, sizeof text, "%.*s", STR_ARG(host->address)); /* cut: no address */
    if (inet_pton(AF_INET, text, address) != 1 && inet_pton(AF_INET6, text, address) != 1)
        return err_set(e, ERR_INVALID_ARGUMENT, "%s: '%.*s' is not a numeric address", flag,
                       STR_ARG(host->address));
    return 0;
}

static bool init_named(const struct init_host *hosts, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq(hosts[i].name, name))
            return true;
    }
    return false;
}

static int init_add_host(struct init_plan *plan, const char *flag, const struct init_host *host,
                         struct err *e)
{
    bool server = strcmp(flag, "--member-server") == 0;
    int rc = server ? 0 : init_check_host(flag, host, e);
    if (rc != 0)
        return rc;
    bool is_member = strcmp(flag, "--member") == 0;
    if (!server && init_named(is_member ? plan->members : plan->nodes,
                              is_member ? plan->members_count : plan->nodes_count, host->name))
        return err_set(e, ERR_INVALID_ARGUMENT, "%s %.*s is named twice", flag,
                       STR_ARG(host->name));
    if (strcmp(flag, "--member") == 0) {
        if (plan->members_count == STORE_MEMBERS_MAX)
            return err_set(e, ERR_INVALID_ARGUMENT, "more than %d members", STORE_MEMBERS_MAX);
        plan->members[plan->members_count++] = *host;
        return 0;
    }
    if (strcmp(flag, "--node") == 0) {
        if (plan->nodes_count == INIT_NODES_MAX)
            return err_set(e, ERR_INVALID_ARGUMENT, "more than %d nodes", INIT_NODES_MAX);
        plan->nodes[plan->nodes_count++] = *host;
        return 0;
    }
    struct init_host *member = init_member(plan, host->name);
    if (member == NULL)
        return err_set(e, ERR_INVALID_ARGUMENT, "--member-server: no --member %.*s before it",
                       STR_ARG(host->name));
    member->server = host->address;
    return 0;
}

static int init_parse(struct init_plan *plan, int argc, char **argv, struct err *e)
{
    for (int i = 0; i < argc; i += 2) {
        const char *flag = argv[i];
        bool known = strcmp(flag, "--out") == 0 || strcmp(flag, "--member") == 0 ||
                     strcmp(flag, "--node") == 0 || strcmp(flag, "--member-server") == 0;
        if (!known)
            return err_set(e, ERR_INVALID_ARGUMENT, "unknown flag '%s'; %s", flag, init_usage);
        if (i + 1 >= argc)
            return err_set(e, ERR_INVALID_ARGUMENT, "%s needs a value; %s", flag, init_usage);
        if (strcmp(flag, "--out") == 0) {
            plan->out = argv[i + 1];
            continue;
        }
        struct init_host host;
        int rc = init_host_parse(argv[i + 1], &host, e);
        if (rc == 0)
            rc = init_add_host(plan, flag, &host, e);
        if (rc != 0)
            return rc;
    }
    if (plan->out == NULL || plan->members_count == 0)
        return err_set(e, ERR_INVALID_ARGUMENT, "%s", init_usage);
    return 0;
}

static int init_write(struct init_plan *plan, struct str bytes, mode_t mode, struct err *e,
                      const char *folder, const char *file)
{
    struct str path = str_printf(plan->arena, "%s/%s%s", plan->out, folder, file);
    return env_file_write(plan->env, path.data, bytes, mode, e);
}

static int init_write_pair(struct init_plan *plan, const struct pki_pair *pair, const char *folder,
                           const char *name, struct err *e)
{
    struct str certificate = str_printf(plan->arena, "%s.crt", name);
    struct str key = str_printf(plan->arena, "%s.key", name);
    int rc = init_write(plan, pair->certificate_pem, 0644, e, folder, certificate.data);
    if (rc != 0)
        return rc;
    return init_write(plan, pair->key_pem, 0600, e, folder, key.data);
}

static int init_issue(struct init_plan *plan, struct str common_name, struct str organization,
                      struct pki_request *request, struct pki_pair *out, struct err *e)
{
    request->common_name = common_name;
    request->organizations = &organization;
    request->organization_count = 1;
    request->client = true;
    request->now_s = plan->now_s;
    request->days = IDENTITY_CERTIFICATE_DAYS;
    return pki_issue(plan->arena, &plan->ca, request, out, e);
}

static int init_issue_member(struct init_plan *plan, const struct init_host *host, struct err *e)
{
    struct arena *a = plan->arena;
    struct pki_request request;
    struct pki_pair pair;
    identity_member_request(a, host->name, host->address, str_of(NULL, 0), plan->now_s, &request);
    int rc = pki_issue(a, &plan->ca, &request, &pair, e);
    if (rc != 0)
        return rc;
    struct str folder = str_printf(a, "members/%.*s/", STR_ARG(host->name));
    rc = init_write(plan, str_lit("this member has never run\n"), 0600, e, folder.data,
                    MEMBER_FIRST_START_FILE);
    return rc != 0 ? rc : init_write_pair(plan, &pair, folder.data, "tls", e);
}

/* One cluster, user and context per server; the first context is the current one. */
static struct str init_kubeconfig(struct init_plan *plan, const struct str *servers,
                                  const struct str *context_names, size_t count, const char *user,
                                  const struct pki_pair *pair)
{
    struct arena *a = plan->arena;
    struct str ca = str_base64(a, plan->ca.certificate_pem);
    struct str certificate = str_base64(a, pair->certificate_pem);
    struct str key = str_base64(a, pair->key_pem);
    struct buf b;
    buf_init(&b);
    buf_printf(&b, "apiVersion: v1\nkind: Config\ncurrent-context: %.*s\nclusters:\n",
               STR_ARG(context_names[0]));
    for (size_t i = 0; i < count; i++)
        buf_printf(&b,
                   "- name: %.*s\n  cluster:\n    server: %.*s\n"
                   "    certificate-authority-data: %.*s\n",
                   STR_ARG(context_names[i]), STR_ARG(servers[i]), STR_ARG(ca));
    buf_append_c(&b, "contexts:\n");
    for (size_t i = 0; i < count; i++)
        buf_printf(&b, "- name: %.*s\n  context:\n    cluster: %.*s\n    user: %s\n",
                   STR_ARG(context_names[i]), STR_ARG(context_names[i]), user);
    buf_printf(&b,
               "users:\n- name: %s\n  user:\n    client-certificate-data: %.*s\n"
               "    client-key-data: %.*s\n",
               user, STR_ARG(certificate), STR_ARG(key));
    struct str text = str_copy(a, buf_str(&b));
    buf_deinit(&b);
    return text;
}

static struct str init_server(struct arena *a, struct str address)
{
    return str_printf(a, "https://%.*s", STR_ARG(identity_authority(a, address, MEMBER_API_PORT)));
}

static int init_issue_node(struct init_plan *plan, const struct init_host *host, struct err *e)
{
    struct arena *a = plan->arena;
    struct str user = str_printf(a, "system:node:%.*s", STR_ARG(host->name));
    struct pki_request request = { .dns_names = &host->name,
                                   .dns_name_count = 1,
                                   .addresses = &host->address,
                                   .address_count = 1,
                                   .server = true };
    struct pki_pair pair;
    int rc = init_issue(plan, user, str_lit("system:nodes"), &request, &pair, e);
    if (rc != 0)
        return rc;
    struct str folder = str_printf(a, "nodes/%.*s/", STR_ARG(host->name));
    rc = init_write_pair(plan, &pair, folder.data, "tls", e);
    if (rc != 0)
        return rc;
    struct str servers[STORE_MEMBERS_MAX];
    struct str names[STORE_MEMBERS_MAX];
    for (size_t i = 0; i < plan->members_count; i++) {
        servers[i] = init_server(a, plan->members[i].address);
        names[i] = plan->members[i].name;
    }
    struct str text = init_kubeconfig(plan, servers, names, plan->members_count, user.data, &pair);
    return init_write(plan, text, 0600, e, folder.data, "kubeconfig");
}

static int init_issue_admin(struct init_plan *plan, struct err *e)
{
    struct pki_request request = { .server = false };
    struct pki_pair pair;
    int rc = init_issue(plan, str_lit("kubernetes-admin"), str_lit("system:masters"), &request,
                        &pair, e);
    if (rc == 0)
        rc = init_write_pair(plan, &pair, "", "admin", e);
    if (rc != 0)
        return rc;
    struct str servers[STORE_MEMBERS_MAX];
    struct str names[STORE_MEMBERS_MAX];
    for (size_t i = 0; i < plan->members_count; i++) {
        const struct init_host *m = &plan->members[i];
        servers[i] = m->server.len > 0 ? m->server : init_server(plan->arena, m->address);
        names[i] = m->name;
    }
    struct str text =
        init_kubeconfig(plan, servers, names, plan->members_count, "kubernetes-admin", &pair);
    return init_write(plan, text, 0600, e, "", "admin.kubeconfig");
}

static int init_write_conf(struct init_plan *plan, struct err *e)
{
    struct arena *a = plan->arena;
    struct store_member members[STORE_MEMBERS_MAX] = { 0 };
    uint8_t id[16];
    struct buf b;
    env_random(plan->env, id, sizeof id);
    for (size_t i = 0; i < plan->members_count; i++) {
        const struct init_host *host = &plan->members[i];
        struct store_member *m = &members[i];
        m->id = i + 1;
        (void)snprintf(m->name, sizeof m->name, "%.*s", STR_ARG(host->name)); /* fits: looked at */
        (void)snprintf(m->peer_address, sizeof m->peer_address, "%s",
                       identity_address(a, host->address, MEMBER_PEER_PORT).data);
        (void)snprintf(m->raft_address, sizeof m->raft_address, "%s",
                       identity_address(a, host->address, MEMBER_RAFT_PORT).data);
    }
    buf_init(&b);
    identity_conf_write(&b, str_hex(a, str_of(id, sizeof id)), members, plan->members_count);
    int rc = init_write(plan, buf_str(&b), 0644, e, "", "cluster.conf");
    buf_deinit(&b);
    return rc;
}

static int init_folders(struct init_plan *plan, struct err *e)
{
    struct arena *a = plan->arena;
    int rc = env_dir_make(plan->env, plan->out, 0700, e);
    for (size_t i = 0; rc == 0 && i < plan->members_count; i++) {
        struct str path =
            str_printf(a, "%s/members/%.*s", plan->out, STR_ARG(plan->members[i].name));
        rc = env_dir_make(plan->env, path.data, 0700, e);
    }
    for (size_t i = 0; rc == 0 && i < plan->nodes_count; i++) {
        struct str path = str_printf(a, "%s/nodes/%.*s", plan->out, STR_ARG(plan->nodes[i].name));
        rc = env_dir_make(plan->env, path.data, 0700, e);
    }
    return rc;
}

static int init_make(struct init_plan *plan, struct err *e)
{
    struct str ca_path = str_printf(plan->arena, "%s/ca.crt", plan->out);
    if (env_path_exists(plan->env, ca_path.data))
        return err_set(e, ERR_ALREADY_EXISTS,
                       "%s holds a cluster's identity already; remove it to make a new cluster",
                       plan->out);
    int rc = init_folders(plan, e);
    if (rc == 0)
        rc =
            pki_make_ca(plan->arena, str_lit("gantry-ca"), plan->now_s, INIT_CA_DAYS, &plan->ca, e);
    for (size_t i = 0; rc == 0 && i < plan->members_count; i++)
        rc = init_issue_member(plan, &plan->members[i], e);
    for (size_t i = 0; rc == 0 && i < plan->nodes_count; i++)
        rc = init_issue_node(plan, &plan->nodes[i], e);
    if (rc == 0)
        rc = init_issue_admin(plan, e);
    if (rc == 0)
        rc = init_write_conf(plan, e);
    /* Last, because its presence says that the folder is complete. */
    if (rc == 0)
        rc = init_write_pair(plan, &plan->ca, "", "ca", e);
    return rc;
}

int init_command(struct env *env, int argc, char **argv, struct err *e)
{
    struct arena arena;
    arena_init(&arena);
    struct init_plan plan = { .env = env, .arena = &arena, .now_s = env_wall_ns(env) / ENV_S };
    int rc = init_parse(&plan, argc, argv, e);
    if (rc == 0)
        rc = init_make(&plan, e);
    if (rc == 0)
        printf("made a cluster of %zu members and %zu nodes in %s\n"
               "  kubeconfig: %s/admin.kubeconfig\n"
               "  start each member: gantryd run --cluster %s --name NAME --data FOLDER "
               "--listen tcp:ADDRESS:6443\n",
               plan.members_count, plan.nodes_count, plan.out, plan.out, plan.out);
    arena_deinit(&arena);
    return rc;
}
