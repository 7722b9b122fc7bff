/*
 * Certificates for the interop scripts, made by our own pki: net_certs FOLDER writes ca, server,
 * client (cn admin, o system:masters) and stranger (the same names from another CA), .pem and .key.
 */
#include <stdio.h>

#include "base/arena.h"
#include "base/env.h"
#include "base/env_uv.h"
#include "net/pki.h"

static struct env *env;
static const char *folder;

static int write_pair(struct arena *a, const char *name, const struct pki_pair *pair, struct err *e)
{
    struct str pem = str_printf(a, "%s/%s.pem", folder, name);
    struct str key = str_printf(a, "%s/%s.key", folder, name);
    int rc = env_file_write(env, str_dup(a, pem), pair->certificate_pem, 0644, e);
    return rc != 0 ? rc : env_file_write(env, str_dup(a, key), pair->key_pem, 0600, e);
}

static int make(struct arena *a, struct err *e)
{
    static const struct str names[] = { STR("localhost") };
    static const struct str addresses[] = { STR("127.0.0.1"), STR("::1") };
    static const struct str organizations[] = { STR("system:masters") };
    uint64_t now_s = env_wall_ns(env) / ENV_S;
    struct pki_request server = { .common_name = str_lit("server"),
                                  .dns_names = names,
                                  .dns_name_count = 1,
                                  .addresses = addresses,
                                  .address_count = 2,
                                  .server = true,
                                  .now_s = now_s,
                                  .days = 1 };
    struct pki_request client = { .common_name = str_lit("admin"),
                                  .organizations = organizations,
                                  .organization_count = 1,
                                  .client = true,
                                  .now_s = now_s,
                                  .days = 1 };
    struct pki_pair ca;
    struct pki_pair other;
    struct pki_pair pair;
    if (pki_make_ca(a, str_lit("ca"), now_s, 1, &ca, e) != 0 ||
        pki_make_ca(a, str_lit("ca"), now_s, 1, &other, e) != 0 || write_pair(a, "ca", &ca, e) != 0)
        return -1;
    if (pki_issue(a, &ca, &server, &pair, e) != 0 || write_pair(a, "server", &pair, e) != 0)
        return -1;
    if (pki_issue(a, &ca, &client, &pair, e) != 0 || write_pair(a, "client", &pair, e) != 0)
        return -1;
    if (pki_issue(a, &other, &client, &pair, e) != 0 || write_pair(a, "stranger", &pair, e) != 0)
        return -1;
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    env = env_uv_new();
    folder = argv[1];
    struct arena a;
    struct err e = { 0 };
    arena_init(&a);
    int rc = make(&a, &e);
    if (rc != 0)
        fprintf(stderr, "net_certs: %s\n", e.msg);
    arena_deinit(&a);
    env_uv_free(env);
    return rc != 0;
}
