/*
 * The Node object and its Lease: registered once, its status written when something changed and
 * every so often, the Lease renewed every quarter of its duration. The agent's loop.
 */
#ifndef KUBELET_LITE_NODE_H
#define KUBELET_LITE_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include "kubelet-lite/node_facts.h"

struct client;
struct env_loop;
struct node;

struct node_config {
    struct env_loop *loop;
    struct client *client;
    const char *name;
    const char *ip;
    const char *root;
    uint16_t port;
    uint64_t max_pods;
    uint64_t lease_duration_s;
    uint64_t status_update_s;
    uint64_t status_report_s;
    const struct node_facts *facts;
};

/* Strings and facts are borrowed. */
struct node *node_new(const struct node_config *config);
void node_start(struct node *n);
/* The client is closed: nothing is under way any more. */
void node_free(struct node *n);
/* What the runtime says of itself: ready, or why not; written at once when it changed. */
void node_runtime(struct node *n, bool ready, const char *message, const char *name_version);

struct Node;
struct arena;
/* The Node as it should be; pure. base: the present one (conditions keep their times), or NULL. */
struct Node *node_object(struct arena *a, const struct node_config *config,
                         const struct node_pressure *pressure, bool ready, const char *not_ready,
                         const char *runtime_version, const struct Node *base, uint64_t now_ns);

#endif
