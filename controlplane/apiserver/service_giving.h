/*
 * A Service being given what it lacks: private to service_addresses.c and service_ports.c.
 */
#ifndef CONTROLPLANE_APISERVER_SERVICE_GIVING_H
#define CONTROLPLANE_APISERVER_SERVICE_GIVING_H

#include "api/schema/err_list.h"
#include "controlplane/apiserver/service_addresses.h"

struct ServiceSpec;
struct port_map;
struct service_ranges;

struct giving {
    struct request *request;
    struct write *write;
    const struct service_ranges *ranges;
    struct str uid;
    struct ServiceSpec *spec;
    const struct ServiceSpec *old; /* NULL: create */
    struct port_map *ports;
    size_t ports_wanted; /* different ones */
    size_t ports_new;    /* of these, not had before */
    struct err_list errors;
};

/* A row of this Service comes, on condition that there is none, or goes. */
void giving_take_row(struct giving *g, struct str key);
void giving_drop_row(struct request *r, struct write *w, struct str key);
/* store_read_begin; its failure is the request's. */
int giving_read(struct request *r, struct store_read *read);
/* 500 in upstream's words. */
int giving_internal(struct giving *g, const char *what, const char *why);
/* g->errors as a 422; 0: there are none. */
int giving_invalid(struct giving *g);

/* Node ports and the health check's, after the spec is settled otherwise. */
int service_ports_give(struct giving *g);
int service_ports_take_back(struct request *r, struct write *w, const struct ServiceSpec *old,
                            struct str uid);

#endif
