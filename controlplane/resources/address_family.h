/* The families that an address can be of, and what holds one of either: IPv4 is mapped (RFC 4291,
 * 2.5.5.2). */
#ifndef CONTROLPLANE_RESOURCES_ADDRESS_FAMILY_H
#define CONTROLPLANE_RESOURCES_ADDRESS_FAMILY_H

#define ADDRESS_BYTES 16

enum address_family { ADDRESS_ANY, ADDRESS_IPV4, ADDRESS_IPV6 };

#endif
