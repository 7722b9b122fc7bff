/*
 * Host names to addresses in the real world.
 *
 * libuv asks getaddrinfo on its pool. One box per request lives until both sides have let go of it:
 * the lookup, which may take as long as the name server likes, and the answer, which a
 * cancellation gives at once. What needs no lookup is answered on a fresh stack.
 */
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/env_uv_impl.h"

/* A host name and its root dot (RFC 1035, section 2.3.4). */
#define HOST_BYTES_MAX 254u

struct uv_env_resolve {
    struct env_resolve *resolve; /* NULL once done was called */
    uv_getaddrinfo_t uv;
    struct uv_deferred deferred;
    bool looking;
    bool deferring;
    int status; /* what the deferred answer says */
};

static void release(struct uv_env_resolve *box)
{
    if (!box->looking && !box->deferring)
        mem_free(box);
}

static void report(struct uv_env_resolve *box, int status)
{
    struct env_resolve *r = box->resolve;
    if (r == NULL)
        return;
    box->resolve = NULL;
    r->impl = NULL;
    if (status != 0)
        r->count = 0;
    r->done(r, status);
}

static void on_answer(struct uv_deferred *d)
{
    struct uv_env_resolve *box = container_of(d, struct uv_env_resolve, deferred);
    box->deferring = false;
    report(box, box->status);
    release(box);
}

static void answer_later(struct uv_env_resolve *box, int status)
{
    box->status = status;
    if (box->deferring)
        return;
    box->deferring = true;
    uv_defer(uv_env_loop_of(box->resolve->loop), &box->deferred, on_answer);
}

/* ---- the answer ---- */

static bool has_address(const struct env_resolve *r, const char *address)
{
    for (size_t i = 0; i < r->count; i++)
        if (strcmp(r->addresses[i], address) == 0)
            return true;
    return false;
}

static void add_address(struct env_resolve *r, const struct sockaddr *address, socklen_t len)
{
    char host[NI_MAXHOST];
    char port[NI_MAXSERV];
    char text[ENV_ADDRESS_BYTES];
    if (r->count == ENV_RESOLVE_MAX ||
        (address->sa_family != AF_INET && address->sa_family != AF_INET6) ||
        getnameinfo(address, len, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return;
    int n = snprintf(text, sizeof(text),
                     address->sa_family == AF_INET6 ? "tcp:[%s]:%s" : "tcp:%s:%s", host, port);
    if (n < 0 || (size_t)n >= sizeof(text) || has_address(r, text))
        return;
    memcpy(r->addresses[r->count++], text, (size_t)n + 1);
}

static void on_looked_up(uv_getaddrinfo_t *uv, int status, struct addrinfo *found)
{
    struct uv_env_resolve *box = container_of(uv, struct uv_env_resolve, uv);
    struct env_resolve *r = box->resolve;
    box->looking = false;
    if (r != NULL && !box->deferring) {
        for (const struct addrinfo *i = found; status == 0 && i != NULL; i = i->ai_next)
            add_address(r, i->ai_addr, i->ai_addrlen);
        bool freeing = uv_env_loop_of(r->loop)->freeing;
        report(box, freeing ? -ERR_CANCELED : r->count > 0 ? 0 : -ERR_UNAVAILABLE);
    }
    uv_freeaddrinfo(found);
    release(box);
}

/* ---- the question ---- */

static bool host_is_sane(struct str host)
{
    if (host.len == 0 || host.len > HOST_BYTES_MAX || host.data[0] == '.' || host.data[0] == '-')
        return false;
    for (size_t i = 0; i < host.len; i++) {
        char c = host.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && c != '-' && c != '.' && c != '_')
            return false;
    }
    return true;
}

/* "tcp:HOST:PORT"; false: it is not of that form. */
static bool split_name(const char *address, char host[HOST_BYTES_MAX + 1], char port[8])
{
    struct str s = str_from(address);
    uint64_t number;
    size_t colon = s.len;
    while (colon > 0 && s.data[colon - 1] != ':')
        colon--;
    if (!str_starts(s, str_lit("tcp:")) || colon <= 4 ||
        str_to_u64(str_slice(s, colon, s.len), &number) != 0 || number == 0 || number > 65535)
        return false;
    struct str name = str_slice(s, 4, colon - 1);
    if (!host_is_sane(name))
        return false;
    memcpy(host, name.data, name.len);
    host[name.len] = '\0';
    (void)snprintf(port, 8, "%u", (unsigned)number); /* it fits */
    return true;
}

static void answer_numeric(struct env_resolve *r, const char *text, const struct uv_address *a)
{
    if (a->type == UV_ADDRESS_UNIX)
        (void)snprintf(r->addresses[r->count++], ENV_ADDRESS_BYTES, "%s", text); /* it fits */
    else if (a->type == UV_ADDRESS_TCP)
        add_address(r, (const struct sockaddr *)&a->ip,
                    a->ip.ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                : sizeof(struct sockaddr_in));
}

void uv_env_resolve(struct env_resolve *r, const char *address)
{
    struct uv_env_loop *l = uv_env_loop_of(r->loop);
    uv_assert_on_loop(l);
    struct uv_env_resolve *box = mem_alloc(sizeof(*box));
    box->resolve = r;
    r->impl = box;
    struct uv_address numeric;
    if (uv_address_parse(address, &numeric, NULL) == 0) {
        answer_numeric(r, address, &numeric);
        answer_later(box, r->count > 0 ? 0 : -ERR_INVALID_ARGUMENT);
        return;
    }
    char host[HOST_BYTES_MAX + 1];
    char port[8];
    if (!split_name(address, host, port)) {
        answer_later(box, -ERR_INVALID_ARGUMENT);
        return;
    }
    struct addrinfo hints = { .ai_family = AF_UNSPEC,
                              .ai_socktype = SOCK_STREAM,
                              .ai_flags = AI_NUMERICSERV };
    box->looking = uv_getaddrinfo(&l->uv, &box->uv, on_looked_up, host, port, &hints) == 0;
    if (!box->looking)
        answer_later(box, -ERR_UNAVAILABLE);
}

void uv_env_resolve_cancel(struct env_resolve *r)
{
    struct uv_env_resolve *box = r->impl;
    uv_assert_on_loop(uv_env_loop_of(r->loop));
    answer_later(box, -ERR_CANCELED);
    if (box->looking)
        (void)uv_cancel((uv_req_t *)&box->uv); /* one that runs already ends by itself */
}
