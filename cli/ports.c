/* See the header. */
#include "cli/ports.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/arena.h"
#include "cli/compose.h"
#include "cli/tree.h"

#define PORT_MAX 65535

/* ---- ports by name and by number ---- */

static bool is_number(struct str text)
{
    uint64_t n;
    return str_to_u64(text, &n) == 0;
}

static bool is_service(const struct json *object)
{
    return str_eq_c(json_str(json_get_c(object, "kind")), "Service");
}

/* The next port of the pod's containers; *io_at counts them all. */
static const struct json *pod_port(const struct json *pod, size_t *io_at)
{
    const struct json *containers = tree_at(pod, "spec", "containers", NULL);
    size_t at = 0;
    for (size_t i = 0; i < tree_count(containers); i++) {
        const struct json *ports = json_get_c(tree_item(containers, i), "ports");
        for (size_t k = 0; k < tree_count(ports); k++)
            if (at++ == *io_at) {
                (*io_at)++;
                return tree_item(ports, k);
            }
    }
    return NULL;
}

static int64_t pod_port_named(const struct json *pod, struct str name)
{
    const struct json *port;
    for (size_t at = 0; (port = pod_port(pod, &at)) != NULL;)
        if (str_eq(tree_text(port, "name", NULL), name))
            return tree_int(port, "containerPort", -1);
    return -1;
}

static int no_port(struct err *e, const char *what, const struct json *of, struct str name)
{
    return err_set(e, ERR_NOT_FOUND, "%s '%.*s' does not have a named port '%.*s'", what,
                   STR_ARG(compose_text_in(of, "metadata", "name")), STR_ARG(name));
}

static const struct json *service_port(const struct json *service, struct str port)
{
    const struct json *ports = tree_at(service, "spec", "ports", NULL);
    uint64_t number = 0;
    bool named = str_to_u64(port, &number) != 0;
    for (size_t i = 0; i < tree_count(ports); i++) {
        const struct json *p = tree_item(ports, i);
        if (named ? str_eq(tree_text(p, "name", NULL), port)
                  : tree_int(p, "port", -1) == (int64_t)number)
            return p;
    }
    return NULL;
}

/* UDP under this number, and no TCP. */
static bool only_udp(const struct json *object, const struct json *pod, int64_t number)
{
    bool service = is_service(object);
    const struct json *ports = tree_at(object, "spec", "ports", NULL);
    bool udp = false;
    size_t at = 0;
    for (;;) {
        const struct json *p = service ? tree_item(ports, at++) : pod_port(pod, &at);
        if (p == NULL)
            return udp;
        if (tree_int(p, service ? "port" : "containerPort", -1) != number)
            continue;
        struct str protocol = tree_text(p, "protocol", NULL);
        if (!str_eq_c(protocol, "UDP"))
            return false;
        udp = true;
    }
}

/* The pod's port behind a service's. */
static int behind_service(const struct json *service, const struct json *pod, struct str remote,
                          int64_t *out_own, int64_t *out, struct err *e)
{
    const struct json *p = service_port(service, remote);
    const struct json *target = json_get_c(p, "targetPort");
    if (p == NULL && !is_number(remote))
        return no_port(e, "Service", service, remote);
    if (p == NULL)
        return err_set(e, ERR_NOT_FOUND, "Service %.*s does not have a service port %.*s",
                       STR_ARG(compose_text_in(service, "metadata", "name")), STR_ARG(remote));
    *out_own = tree_int(p, "port", 0);
    *out = tree_int(p, "targetPort", 0);
    if (str_eq_c(tree_text(service, "spec", "clusterIP", NULL), "None") ||
        (*out == 0 && (target == NULL || target->type != JSON_STRING)))
        *out = *out_own;
    else if (target->type == JSON_STRING)
        *out = pod_port_named(pod, json_str(target));
    return *out > 0 ? 0 : no_port(e, "Pod", pod, json_str(target));
}

/* ---- the words ---- */

static int read_number(struct str text, const char *which, uint16_t *out, struct err *e)
{
    uint64_t n = 0;
    bool number = str_to_u64(text, &n) == 0;
    if (number && n <= PORT_MAX) {
        *out = (uint16_t)n;
        return 0;
    }
    return err_set(e, ERR_INVALID_ARGUMENT,
                   "error parsing %s port '%.*s': strconv.ParseUint: parsing \"%.*s\": %s", which,
                   STR_ARG(text), STR_ARG(text), number ? "value out of range" : "invalid syntax");
}

static int read_pair(struct arena *a, struct str word, const struct json *object,
                     const struct json *pod, struct ports_pair *out, struct err *e)
{
    ptrdiff_t colon = str_find_char(word, ':', 0);
    struct str local = colon < 0 ? word : str_slice(word, 0, (size_t)colon);
    struct str remote = colon < 0 ? word : str_slice(word, (size_t)colon + 1, word.len);
    int64_t own = 0;
    int64_t number = 0;
    uint64_t given = 0;
    int rc = 0;
    if (str_find_char(remote, ':', 0) >= 0)
        return err_set(e, ERR_INVALID_ARGUMENT, "invalid port format '%.*s'", STR_ARG(word));
    if (remote.len == 0)
        return err_set(e, ERR_INVALID_ARGUMENT, "remote port cannot be empty");
    if (is_service(object)) {
        rc = behind_service(object, pod, remote, &own, &number, e);
    } else if (str_to_u64(remote, &given) == 0) {
        own = number = (int64_t)(given <= PORT_MAX ? given : PORT_MAX + 1);
    } else {
        own = number = pod_port_named(pod, remote);
        rc = number < 0 ? no_port(e, "Pod", pod, remote) : 0;
    }
    if (rc == 0 && only_udp(object, pod, own))
        return err_set(e, ERR_INVALID_ARGUMENT, "UDP protocol is not supported for %.*s",
                       STR_ARG(remote));
    if (rc == 0 && number > PORT_MAX)
        return read_number(remote, colon < 0 ? "local" : "remote", &out->remote, e);
    if (rc == 0 && number == 0)
        return err_set(e, ERR_INVALID_ARGUMENT, "remote port must be > 0");
    out->remote = (uint16_t)number;
    if (rc == 0 && colon < 0)
        local = str_printf(a, "%lld", (long long)own);
    if (rc == 0)
        rc = read_number(local.len == 0 ? str_lit("0") : local, "local", &out->local, e);
    return rc;
}

int ports_read(struct arena *a, const char *const *words, size_t count, const struct json *object,
               const struct json *pod, struct ports_pair *out, struct err *e)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = read_pair(a, str_from(words[i]), object, pod, &out[i], e);
    return rc;
}

/* ---- addresses ---- */

static void add_address(struct ports_address *out, size_t *io_count, struct ports_address one)
{
    size_t at = *io_count;
    for (size_t i = 0; i < *io_count; i++)
        if (strcmp(out[i].host, one.host) == 0)
            return;
    for (; at > 0 && strcmp(out[at - 1].host, one.host) > 0; at--)
        out[at] = out[at - 1];
    out[at] = one;
    (*io_count)++;
}

int ports_addresses(struct arena *a, const struct flag_texts *given, struct ports_address *out,
                    size_t *out_count, struct err *e)
{
    uint8_t bytes[16];
    *out_count = 0;
    for (size_t i = 0; i < given->count; i++) {
        const char *host = given->items[i];
        bool v4 = inet_pton(AF_INET, host, bytes) == 1;
        bool v6 = !v4 && inet_pton(AF_INET6, host, bytes) == 1;
        if (strcmp(host, "localhost") == 0) {
            add_address(out, out_count,
                        (struct ports_address){ .host = "127.0.0.1", .of_localhost = true });
            add_address(out, out_count,
                        (struct ports_address){ .host = "::1", .v6 = true, .of_localhost = true });
        } else if (v4 || v6) {
            add_address(out, out_count,
                        (struct ports_address){ .host = str_dup(a, str_from(host)), .v6 = v6 });
        } else {
            return err_set(e, ERR_INVALID_ARGUMENT, "%s is not a valid IP", host);
        }
    }
    return 0;
}
