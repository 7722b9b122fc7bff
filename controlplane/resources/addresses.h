/* IP addresses and ports of endpoints, in upstream's words. Private. */
#ifndef CONTROLPLANE_RESOURCES_ADDRESSES_H
#define CONTROLPLANE_RESOURCES_ADDRESSES_H

#include <stdbool.h>
#include <stdint.h>

#include "controlplane/resources/address_family.h"
#include "controlplane/resources/rules.h"

/* An address that traffic can be sent to: of the family, and none of the special ranges. */
void check_address(struct err_list *out, const struct field_path *p, const char *text,
                   enum address_family family);
/* Any address. */
bool check_ip(struct err_list *out, const struct field_path *p, const char *text);
/* An address and the length of a prefix: 10.0.0.0/8. */
void check_cidr(struct err_list *out, const struct field_path *p, const char *text);
/* Which family such a text is of; ADDRESS_ANY: it is none. out: the address as written; the prefix
 * counts from the family's first bit. */
enum address_family cidr_parse(const char *text, uint8_t out[ADDRESS_BYTES], uint64_t *out_prefix);
/* The address as IPv6 (IPv4 mapped); false when it is none of the family. */
bool address_parse(const char *text, enum address_family family, uint8_t out[ADDRESS_BYTES]);
/* A domain name of at least two labels. */
void check_domain(struct err_list *out, const struct field_path *p, const char *text);
/* TCP, UDP or SCTP. */
void check_protocol(struct err_list *out, const struct field_path *p, const char *protocol);

#endif
