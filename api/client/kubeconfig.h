/*
 * kubeconfig files: which servers, whose certificates. Read at start, before loops run.
 *
 * Understood: clusters[].cluster {server, certificate-authority(-data), tls-server-name},
 * users[].user {client-certificate(-data), client-key(-data)}, contexts and current-context.
 * Anything that would need code we do not have (exec plugins, tokens, proxies) is an error that
 * names the field when the chosen context uses it.
 */
#ifndef API_CLIENT_KUBECONFIG_H
#define API_CLIENT_KUBECONFIG_H

#include "base/err.h"
#include "base/str.h"

struct arena;
struct env;

#define KUBECONFIG_BYTES_MAX (1u << 20)

struct kubeconfig {
    struct str
        server; /* "https://127.0.0.1:6443", commas between several endpoints of one cluster */
    struct str tls_server_name;
    struct str ca_pem; /* PEM texts, inline data or files already read */
    struct str client_cert_pem;
    struct str client_key_pem;
    struct str namespace; /* of the context; empty: default */
    struct str context;
    struct str cluster;
    struct str user;
};

/* context empty: current-context. "*": the current one, and server lists the servers of every other
 * context with the same user behind it: the members of one cluster. Files named relative are
 * relative to the kubeconfig's folder. Everything lives in the arena. */
int kubeconfig_load(struct env *env, struct arena *a, const char *path, struct str context,
                    struct kubeconfig *out, struct err *e);
/* As above from text already read; folder is where relative file names start. */
int kubeconfig_parse(struct env *env, struct arena *a, struct str text, const char *folder,
                     struct str context, struct kubeconfig *out, struct err *e);

#endif
