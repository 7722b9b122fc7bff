/* See service_ranges.h. Offsets are of 64 bits: a network of IPv6 is /64 at most. */
#include "controlplane/resources/service_ranges.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "api/meta/text.h"
#include "base/str.h"

#define PORT_MAX 65535u

/* How many of a range are given last (KEP-3070, KEP-3668). */
#define RESERVED_SHARE_IPS   16
#define RESERVED_SHARE_PORTS 32
#define RESERVED_IPS_MIN     16
#define RESERVED_IPS_MAX     256
#define RESERVED_PORTS_MIN   16
#define RESERVED_PORTS_MAX   128

static size_t address_bytes(enum address_family family)
{
    return family == ADDRESS_IPV4 ? 4 : SERVICE_IP_BYTES;
}

static int to_af(enum address_family family)
{
    return family == ADDRESS_IPV4 ? AF_INET : AF_INET6;
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

/* Is anything of the address beyond the network's part? */
static bool has_host_bits(const uint8_t *address, size_t bytes, unsigned bits)
{
    for (size_t bit = bits; bit < bytes * 8; bit++) {
        if ((address[bit / 8] >> (7 - bit % 8) & 1) != 0)
            return true;
    }
    return false;
}

static int parse_range(struct str text, struct service_range *out, struct err *e)
{
    struct str address = text;
    struct str length = { 0 };
    uint64_t bits = 0;
    char name[SERVICE_RANGE_TEXT_BYTES];
    ptrdiff_t slash = str_find(text, str_lit("/"));
    if (slash >= 0) {
        address.len = (size_t)slash;
        length = str_of(text.data + slash + 1, text.len - (size_t)slash - 1);
    }
    *out = (struct service_range){ 0 };
    if (address.len >= sizeof name)
        address.len = 0;
    snprintf(name, sizeof name, "%.*s", STR_ARG(address));
    out->family = service_family_of(name);
    if (slash < 0 || inet_pton(to_af(out->family), name, out->base) != 1 ||
        str_to_u64(length, &bits) != 0)
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "--service-cluster-ip-range: '%.*s' is not a network such as %s",
                       STR_ARG(text), SERVICE_IPS_DEFAULT);
    bool v4 = out->family == ADDRESS_IPV4;
    if (bits < (v4 ? 12 : 64) || bits > (v4 ? 29 : 125))
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "--service-cluster-ip-range: '%.*s': the prefix of an %s network is from "
                       "%s",
                       STR_ARG(text), service_family_name(out->family),
                       v4 ? "/12 to /29" : "/64 to /125");
    if (has_host_bits(out->base, address_bytes(out->family), (unsigned)bits))
        return err_set(e, ERR_INVALID_ARGUMENT,
                       "--service-cluster-ip-range: '%.*s' has bits behind its prefix",
                       STR_ARG(text));
    unsigned host = (v4 ? 32u : 128u) - (unsigned)bits;
    uint64_t last = host == 64 ? UINT64_MAX : (UINT64_C(1) << host) - 1;
    out->count = v4 ? last - 1 : last;
    out->reserved = reserved_of(last, RESERVED_SHARE_IPS, RESERVED_IPS_MIN, RESERVED_IPS_MAX);
    (void)inet_ntop(to_af(out->family), out->base, name, sizeof name); /* it is big enough */
    snprintf(out->text, sizeof out->text, "%.45s/%u", name, (unsigned)bits);
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
    uint8_t address[SERVICE_IP_BYTES];
    memcpy(address, r->base, sizeof address);
    for (size_t at = address_bytes(r->family); n > 0; n >>= 8)
        address[--at] |= (uint8_t)n;
    (void)inet_ntop(to_af(r->family), address, out_text, SERVICE_IP_TEXT_BYTES); /* big enough */
}

bool service_range_has(const struct service_range *r, const char *text)
{
    uint8_t address[SERVICE_IP_BYTES];
    uint64_t n = 0;
    uint64_t base = 0;
    size_t bytes = address_bytes(r->family);
    size_t low = bytes < 8 ? bytes : 8;
    if (inet_pton(to_af(r->family), text_of(text), address) != 1 ||
        memcmp(address, r->base, bytes - low) != 0)
        return false;
    for (size_t i = bytes - low; i < bytes; i++) {
        n = n << 8 | address[i];
        base = base << 8 | r->base[i];
    }
    return n > base && n - base <= r->count;
}

bool service_ip_usual(const char *text, char out_text[SERVICE_IP_TEXT_BYTES])
{
    uint8_t address[SERVICE_IP_BYTES];
    int af = to_af(service_family_of(text));
    out_text[0] = '\0';
    if (inet_pton(af, text_of(text), address) != 1)
        return false;
    (void)inet_ntop(af, address, out_text, SERVICE_IP_TEXT_BYTES); /* big enough */
    return true;
}
