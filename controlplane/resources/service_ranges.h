/*
 * The addresses and the node ports that Services are given: the ranges of kube-apiserver's
 * --service-cluster-ip-range and --service-node-port-range, and which of them are given without
 * being asked for first (KEP-3070, KEP-3668: the lower part of a range is kept for who asks by
 * number). Nothing here knows what is taken. Any thread.
 */
#ifndef CONTROLPLANE_RESOURCES_SERVICE_RANGES_H
#define CONTROLPLANE_RESOURCES_SERVICE_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "controlplane/resources/address_family.h"

/* kubeadm's and kube-apiserver's defaults. */
#define SERVICE_IPS_DEFAULT      "10.96.0.0/12"
#define SERVICE_PORTS_DEFAULT    "30000-32767"

#define SERVICE_RANGES_MAX       2  /* one of each family */
#define SERVICE_IP_TEXT_BYTES    46 /* INET6_ADDRSTRLEN */
#define SERVICE_RANGE_TEXT_BYTES 50

/* Addresses that can be given: of a network without its own and, of IPv4, its broadcast address. */
struct service_range {
    enum address_family family;
    uint8_t base[ADDRESS_BYTES]; /* the network's own */
    uint64_t count;              /* of addresses after it */
    uint64_t reserved;           /* the first of them, given last */
    char text[SERVICE_RANGE_TEXT_BYTES];
};

struct service_ranges {
    struct service_range ips[SERVICE_RANGES_MAX]; /* the first one's family is the default */
    size_t ips_count;
    uint32_t ports_first;
    uint32_t ports_count;
    uint32_t ports_reserved;
    char ports_text[SERVICE_RANGE_TEXT_BYTES]; /* "30000-32767" */
};

/* ips: one or two networks, of different families, with a comma between: of IPv4 from /12 to /29,
 * of IPv6 from /64 to /125. ports: FIRST-LAST. NULL: the defaults. -ERR_INVALID_ARGUMENT says which
 * and why. */
int service_ranges_parse(struct service_ranges *out, const char *ips, const char *ports,
                         struct err *e);

/* NULL: the family is not configured. */
const struct service_range *service_range_of(const struct service_ranges *s,
                                             enum address_family family);
/* The n-th address, n from 1 to count; 0: the network's own. */
void service_range_at(const struct service_range *r, uint64_t n,
                      char out_text[SERVICE_IP_TEXT_BYTES]);
/* Is it an address that can be given? */
bool service_range_has(const struct service_range *r, const char *text);
/* An address in its usual spelling (RFC 5952); false: it is none, and the text is empty. */
bool service_ip_usual(const char *text, char out_text[SERVICE_IP_TEXT_BYTES]);
/* "IPv4", "IPv6". */
const char *service_family_name(enum address_family family);
/* Of an address or a name of a family. */
enum address_family service_family_of(const char *text);

#endif
