/* See identity.h. */
#include "controlplane/identity.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"
#include "base/env.h"
#include "base/str.h"

/* cluster.conf holds a line per member. */
#define CONF_BYTES_MAX 8192
#define HASH_SCHEME    "sha256:"

bool identity_is_numeric(struct str host)
{
    uint8_t address[16];
    char text[64];
    if (host.len == 0 || host.len >= sizeof text)
        return false;
    (void)snprintf(text, sizeof text, "%.*s", STR_ARG(host)); /* fits */
    return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

struct str identity_host(struct str address)
{
    struct str none = { NULL, 0 };
    if (!str_starts(address, str_lit("tcp:")))
        return none;
    struct str rest = str_slice(address, 4, address.len);
    if (rest.len > 0 && rest.data[0] == '[') {
        ptrdiff_t end = str_find_char(rest, ']', 0);
        return end < 0 ? none : str_slice(rest, 1, (size_t)end);
    }
    ptrdiff_t colon = str_find_char(rest, ':', 0);
    return colon <= 0 ? none : str_slice(rest, 0, (size_t)colon);
}

struct str identity_authority(struct arena *a, struct str host, unsigned port)
{
    bool six = str_find_char(host, ':', 0) >= 0;
    return str_printf(a, "%s%.*s%s:%u", six ? "[" : "", STR_ARG(host), six ? "]" : "", port);
}

struct str identity_address(struct arena *a, struct str host, unsigned port)
{
    return str_printf(a, "tcp:%.*s", STR_ARG(identity_authority(a, host, port)));
}

void identity_member_request(struct arena *a, struct str name, struct str host, struct str also,
                             uint64_t now_s, struct pki_request *out)
{
    static const struct str masters = STR("system:masters");
    static const struct str service_names[] = { STR("localhost"), STR("kubernetes"),
                                                STR("kubernetes.default"),
                                                STR("kubernetes.default.svc"),
                                                STR("kubernetes.default.svc.cluster.local") };
    size_t services = sizeof service_names / sizeof service_names[0];
    struct str *names = arena_array(a, services + 4, sizeof *names);
    struct str *addresses = arena_array(a, IDENTITY_ADDRESSES_MAX, sizeof *addresses);
    struct str hosts[] = { host, also };
    *out = (struct pki_request){ .common_name = str_printf(a, "gantry-member-%.*s", STR_ARG(name)),
                                 .organizations = &masters,
                                 .organization_count = 1,
                                 .dns_names = names,
                                 .addresses = addresses,
                                 .server = true,
                                 .client = true,
                                 .now_s = now_s,
                                 .days = IDENTITY_CERTIFICATE_DAYS };
    names[out->dns_name_count++] = out->common_name;
    names[out->dns_name_count++] = name;
    for (size_t i = 0; i < services; i++)
        names[out->dns_name_count++] = service_names[i];
    for (size_t i = 0; i < 2; i++) {
        if (identity_is_numeric(hosts[i]))
            addresses[out->address_count++] = hosts[i];
        else if (hosts[i].len > 0)
            names[out->dns_name_count++] = hosts[i];
    }
    addresses[out->address_count++] = str_lit("127.0.0.1");
    addresses[out->address_count++] = str_lit(IDENTITY_SERVICE_ADDRESS);
}

int identity_ca_hash(struct str ca_pem, char out[IDENTITY_CA_HASH_BYTES], struct err *e)
{
    uint8_t hash[PKI_SHA256_BYTES];
    int rc = pki_key_sha256(ca_pem, hash, e);
    if (rc != 0)
        return rc;
    size_t at = sizeof HASH_SCHEME - 1;
    memcpy(out, HASH_SCHEME, at);
    for (size_t i = 0; i < sizeof hash; i++, at += 2)
        (void)snprintf(out + at, IDENTITY_CA_HASH_BYTES - at, "%02x", hash[i]); /* fits */
    return 0;
}

static int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int identity_ca_hash_parse(struct str text, uint8_t out[PKI_SHA256_BYTES], struct err *e)
{
    struct str scheme = str_lit(HASH_SCHEME);
    uint8_t hash[PKI_SHA256_BYTES];
    bool good = str_starts(text, scheme) && text.len == scheme.len + 2 * sizeof hash;
    for (size_t i = 0; good && i < sizeof hash; i++) {
        int high = nibble(text.data[scheme.len + 2 * i]);
        int low = nibble(text.data[scheme.len + 2 * i + 1]);
        good = high >= 0 && low >= 0;
        hash[i] = (uint8_t)(high << 4 | low);
    }
    if (!good)
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "'%.*s' is not sha256: and 64 lower-case hex digits; `gantry member add` "
                       "prints it",
                       STR_ARG(text));
    memcpy(out, hash, sizeof hash);
    return 0;
}

/* ---- cluster.conf ---- */

void identity_conf_write(struct buf *out, struct str cluster, const struct store_member *members,
                         size_t count)
{
    buf_printf(out, "cluster %.*s\n", STR_ARG(cluster));
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "member %llu %s %s %s\n", (unsigned long long)members[i].id,
                   members[i].name, members[i].peer_address, members[i].raft_address);
}

static int read_member(struct str line, struct str rest, struct store_config *config, struct err *e)
{
    struct str id;
    struct str name;
    struct str peer;
    if (config->members_count == STORE_MEMBERS_MAX)
        return err_set(e, ERR_LIMIT, "more than %d members", STORE_MEMBERS_MAX);
    struct store_member *m = &config->members[config->members_count];
    *m = (struct store_member){ 0 };
    if (!str_split(&rest, ' ', &id) || str_to_u64(id, &m->id) != 0 ||
        !str_split(&rest, ' ', &name) || name.len == 0 || name.len >= sizeof m->name ||
        !str_split(&rest, ' ', &peer) || peer.len == 0 || peer.len >= sizeof m->peer_address ||
        rest.len == 0 || rest.len >= sizeof m->raft_address)
        return err_set(e, ERR_PARSE, "not 'member ID NAME PEER-ADDRESS RAFT-ADDRESS': %.*s",
                       STR_ARG(line));
    memcpy(m->name, name.data, name.len);
    memcpy(m->peer_address, peer.data, peer.len);
    memcpy(m->raft_address, rest.data, rest.len);
    config->members_count++;
    return 0;
}

static int read_line(struct str line, struct store_config *config,
                     char out_cluster[IDENTITY_CLUSTER_BYTES], struct err *e)
{
    struct str rest = line;
    struct str word;
    if (!str_split(&rest, ' ', &word))
        return 0;
    if (str_eq_c(word, "cluster") && rest.len < IDENTITY_CLUSTER_BYTES)
        (void)snprintf(out_cluster, IDENTITY_CLUSTER_BYTES, "%.*s", STR_ARG(rest)); /* fits */
    return str_eq_c(word, "member") ? read_member(line, rest, config, e) : 0;
}

int identity_conf_read(struct env *env, struct arena *a, const char *folder,
                       struct store_config *config, char out_cluster[IDENTITY_CLUSTER_BYTES],
                       struct err *e)
{
    struct str path = str_printf(a, "%s/cluster.conf", folder);
    struct str text;
    struct str line;
    int rc = env_file_read(env, a, path.data, CONF_BYTES_MAX, &text, e);
    if (rc != 0)
        return err_wrap(e, rc,
                        "no cluster in %s; make one with `gantryd init`, or come into one with "
                        "`gantryd join`",
                        folder);
    out_cluster[0] = '\0';
    config->members_count = 0;
    while (rc == 0 && str_split(&text, '\n', &line))
        rc = read_line(line, config, out_cluster, e);
    if (rc != 0)
        return err_wrap(e, rc, "%s", path.data);
    if (config->members_count == 0)
        return err_set(e, ERR_PARSE, "%s names no member", path.data);
    return 0;
}
