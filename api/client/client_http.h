/*
 * The client over the network: HTTP/2 with TLS client certificates to one of several API endpoints.
 *
 * One connection at a time carries every call and watch. When it breaks, watches end with
 * -ERR_UNAVAILABLE (a reflector resumes them), reads are sent again on the next endpoint until
 * their deadline, and a write whose request may have been received ends with -ERR_UNKNOWN_OUTCOME
 * unless it carries a request id: then it is sent again, because the server answers a retry with
 * the first answer. While no endpoint answers, calls wait for their deadline.
 */
#ifndef API_CLIENT_CLIENT_HTTP_H
#define API_CLIENT_CLIENT_HTTP_H

#include "api/client/client.h"

struct client_http;
struct kubeconfig;

#define CLIENT_HTTP_ENDPOINTS_MAX 16
/* Calls waiting for a connection; above: -ERR_TOO_MANY_REQUESTS. */
#define CLIENT_HTTP_PENDING_MAX 4096

struct client_http_config {
    struct env_loop *loop;
    struct str servers;         /* "https://127.0.0.1:6443,https://127.0.0.1:6444"; numeric hosts */
    struct str tls_server_name; /* empty: the host of the URL */
    struct str ca_pem;          /* copied, as all strings here */
    struct str client_cert_pem;
    struct str client_key_pem;
    const char *user_agent; /* "kubelet-lite/0.1" */
};

int client_http_new(const struct client_http_config *config, struct client_http **out,
                    struct err *e);
/* The same for what a kubeconfig says (kubeconfig_load). */
int client_http_open(struct env_loop *loop, const struct kubeconfig *k, const char *user_agent,
                     struct client_http **out, struct err *e);
struct client *client_http_client(struct client_http *c);
/* Ends what is pending with -ERR_CANCELED; closed runs once, on a later turn, and c is gone. */
void client_http_close(struct client_http *c, void (*closed)(void *ctx), void *ctx);

#endif
