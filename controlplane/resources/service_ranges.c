/* See service_ranges.h. Offsets are of 64 bits: a network of IPv6 is /64 at most. */
#include "controlplane/resources/service_ranges.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "api/meta/text.h"
#include "base/str.h"
#include "controlplane/resources/addresses.h"

#define PORT_MAX 65535u

/* How many of a range are given last (KEP-3070, KEP-3668). */
#define RESERVED_SHARE_IPS   16
#define RESERVED_SHARE_PORTS 32
#define RESERVED_IPS_MIN     16
#define RESERVED_IPS_MAX     256
#define RESERVED_PORTS_MIN   16
#define RESERVED_PORTS_MAX   128

static void write_ip(const uint8_t address[ADDRESS_BYTES], enum address_family family,
                     char out_text[SERVICE_IP_TEXT_BYTES])
{
    bool v4 = family == ADDRESS_IPV4;
    (void)inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? address + ADDRESS_BYTES - 4 : address, out_text,
                    SERVICE_IP_TEXT_BYTES); /* big enough */
}

/* The half of an address that is counted in. */
static uint64_t low_half(const uint8_t address[ADDRESS_BYTES])
{
    uint64_t n = 0;
    for (size_t i = ADDRESS_BYTES - sizeof(n); i < ADDRESS_BYTES; i++)
        n = n << 8 | address[i];
    return n;
}

const char *service_family_name(enum address_family family)
{
    return family == ADDRESS_IPV4 ? "IPv4" : "IPv6";
}

enum address_family service_family_of(const char *text)
{
    return text_eq(text, "IPv6") || strchr(text_of(text), ':') != NULL ? ADDRESS_IPV6
                                                                       : ADDRESS_IPV4;
}

static uint64_t reserved_of(uint64_t size, uint64_t share, uint64_t min, uint64_t max)
{
    uint64_t part = size / share;
    if (size < min)
        return 0;
    return part < min ? min : part > max ? max : part;
}

static int parse_range(struct str text, struct service_range *out, struct err *e)
{
    char name[SERVICE_RANGE_TEXT_BYTES];
    char ip[SERVICE_IP_TEXT_BYTES];
    uint64_t prefix = 0;
    *out = (struct service_range){ 0 };
    snprintf(name, sizeof name, "%.*s", STR_ARG(text));
    if (text.len < sizeof name)
        out->family = cidr_parse(name, out->base, &prefix);
    if (out->family == ADDRESS_ANY)
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "--service-cluster-ip-range: '%.*s' is not a network such as %s",
                       STR_ARG(text), SERVICE_IPS_DEFAULT);
    bool v4 = out->family == ADDRESS_IPV4;
    if (prefix < (v4 ? 12 : 64) || prefix > (v4 ? 29 : 125))
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "--service-cluster-ip-range: '%.*s': the prefix of an %s network is from "
                       "%s",
                       STR_ARG(text), service_family_name(out->family),
                       v4 ? "/12 to /29" : "/64 to /125");
    unsigned host = (v4 ? 32u : 128u) - (unsigned)prefix;
    uint64_t last = host == 64 ? UINT64_MAX : (UINT64_C(1) << host) - 1;
    if ((low_half(out->base) & last) != 0)
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "--service-cluster-ip-range: '%.*s' has bits behind its prefix",
                       STR_ARG(text));
    out->count = v4 ? last - 1 : last;
    out->reserved = reserved_of(last, RESERVED_SHARE_IPS, RESERVED_IPS_MIN, RESERVED_IPS_MAX);
    write_ip(out->base, out->family, ip);
    snprintf(out->text, sizeof out->text, "%s/%u", ip, (unsigned)prefix);
    return 0;
}

static int parse_ips(struct service_ranges *out, const char *ips, struct err *e)
{
    struct str rest = str_from(ips);
    struct str part;
    while (rest.data != NULL && str_split(&rest, ',', &part)) {
        if (out->ips_count == SERVICE_RANGES_MAX)
            return err_set(e, ERR_INVALID_ARGUMENT, "--service-cluster-ip-range: two at most");
        int rc = parse_range(part, &out->ips[out->ips_count], e);
        if (rc != 0)
            return rc;
        out->ips_count++;
    }
    if (out->ips_count == SERVICE_RANGES_MAX && out->ips[0].family == out->ips[1].family)
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "--service-cluster-ip-range: of two, one is IPv4 and one is IPv6");
    return 0;
}

static int parse_ports(struct service_ranges *out, const char *ports, struct err *e)
{
    struct str rest = str_from(ports);
    struct str first = { 0 };
    uint64_t from = 0;
    uint64_t to = 0;
    if (!str_split(&rest, '-', &first) || str_to_u64(first, &from) != 0 || rest.data == NULL ||
        str_to_u64(rest, &to) != 0 || from == 0 || to < from || to > PORT_MAX)
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "--service-node-port-range: '%s' is not a range such as %s", ports,
                       SERVICE_PORTS_DEFAULT);
    out->ports_first = (uint32_t)from;
    out->ports_count = (uint32_t)(to - from + 1);
    out->ports_reserved = (uint32_t)reserved_of(out->ports_count, RESERVED_SHARE_PORTS,
                                                RESERVED_PORTS_MIN, RESERVED_PORTS_MAX);
    snprintf(out->ports_text, sizeof out->ports_text, "%u-%u", (unsigned)from, (unsigned)to);
    return 0;
}

int service_ranges_parse(struct service_ranges *out, const char *ips, const char *ports,
                         struct err *e)
{
    *out = (struct service_ranges){ 0 };
    int rc = parse_ips(out, ips == NULL ? SERVICE_IPS_DEFAULT : ips, e);
    return rc == 0 ? parse_ports(out, ports == NULL ? SERVICE_PORTS_DEFAULT : ports, e) : rc;
}

const struct service_range *service_range_of(const struct service_ranges *s,
                                             enum address_family family)
{
    for (size_t i = 0; i < s->ips_count; i++) {
        if (s->ips[i].family == family)
            return &s->ips[i];
    }
    return NULL;
}

/* The network's own address has zeros where n goes. */
void service_range_at(const struct service_range *r, uint64_t n,
                      char out_text[SERVICE_IP_TEXT_BYTES])
{
    uint8_t address[ADDRESS_BYTES];
    memcpy(address, r->base, sizeof address);
    for (size_t at = ADDRESS_BYTES; n > 0; n >>= 8)
        address[--at] |= (uint8_t)n;
    write_ip(address, r->family, out_text);
}

bool service_range_has(const struct service_range *r, const char *text)
{
    uint8_t address[ADDRESS_BYTES];
    if (!address_parse(text_of(text), r->family, address) ||
        memcmp(address, r->base, ADDRESS_BYTES - sizeof(uint64_t)) != 0)
        return false;
    uint64_t n = low_half(address);
    uint64_t base = low_half(r->base);
    return n > base && n - base <= r->count;
}

bool service_ip_usual(const char *text, char out_text[SERVICE_IP_TEXT_BYTES])
{
    uint8_t address[ADDRESS_BYTES];
    enum address_family family = service_family_of(text);
    out_text[0] = '\0';
    if (!address_parse(text_of(text), family, address))
        return false;
    write_ip(address, family, out_text);
    return true;
}
