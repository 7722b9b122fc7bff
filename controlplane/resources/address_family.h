/* The families that an address can be of. */
#ifndef CONTROLPLANE_RESOURCES_ADDRESS_FAMILY_H
#define CONTROLPLANE_RESOURCES_ADDRESS_FAMILY_H

enum address_family { ADDRESS_ANY, ADDRESS_IPV4, ADDRESS_IPV6 };

#endif
