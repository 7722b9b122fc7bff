/* Parsed by inet_pton; the ranges are those no endpoint can be in. */
#include "controlplane/resources/addresses.h"

#include <arpa/inet.h>
#include <string.h>

#include "api/schema/err_list.h"
#include "base/arena.h"

#define IPV6_BYTES  16
#define IP_EXPECTED "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"

/* The address as IPv6 (IPv4 mapped); false when it is none of the family. */
static bool parse(const char *text, enum address_family family, unsigned char out[IPV6_BYTES])
{
    static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
    if (family != ADDRESS_IPV6 && inet_pton(AF_INET, text, out + sizeof(mapped)) == 1) {
        memcpy(out, mapped, sizeof(mapped));
        return true;
    }
    return family != ADDRESS_IPV4 && inet_pton(AF_INET6, text, out) == 1;
}

/* Why nothing can be sent to it; NULL: it can. */
static const char *special(const unsigned char a[IPV6_BYTES])
{
    static const unsigned char zero[IPV6_BYTES];
    bool v4 = memcmp(a, zero, 10) == 0 && a[10] == 0xff && a[11] == 0xff;
    const unsigned char *b = a + 12;
    if (v4 ? memcmp(b, zero, 4) == 0 : memcmp(a, zero, IPV6_BYTES) == 0)
        return "may not be unspecified (0.0.0.0 or ::)";
    if (v4 ? b[0] == 127 : memcmp(a, zero, IPV6_BYTES - 1) == 0 && a[15] == 1)
        return "may not be in the loopback range (127.0.0.0/8, ::1/128)";
    if (v4 ? b[0] == 169 && b[1] == 254 : a[0] == 0xfe && (a[1] & 0xc0) == 0x80)
        return "may not be in the link-local range (169.254.0.0/16, fe80::/10)";
    if (v4 ? b[0] == 224 && b[1] == 0 && b[2] == 0 : a[0] == 0xff && (a[1] & 0x0f) == 0x02)
        return "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)";
    return NULL;
}

void check_address(struct err_list *out, const struct field_path *p, const char *text,
                   enum address_family family)
{
    static const char *const messages[] = { [ADDRESS_ANY] = IP_EXPECTED,
                                            [ADDRESS_IPV4] = "must be a valid IPv4 address",
                                            [ADDRESS_IPV6] = "must be a valid IPv6 address" };
    unsigned char address[IPV6_BYTES];
    if (!parse(text_of(text), family, address)) {
        rule_invalid_text(out, p, text, messages[family]);
        return;
    }
    const char *why = special(address);
    if (why != NULL)
        rule_invalid_text(out, p, text, why);
}

bool check_ip(struct err_list *out, const struct field_path *p, const char *text)
{
    unsigned char address[IPV6_BYTES];
    if (parse(text_of(text), ADDRESS_ANY, address))
        return true;
    rule_invalid_text(out, p, text, IP_EXPECTED);
    return false;
}

enum address_family cidr_family(struct arena *a, const char *text)
{
    struct str rest = str_from(text_of(text));
    ptrdiff_t slash = str_find_char(rest, '/', 0);
    unsigned char address[IPV6_BYTES];
    uint64_t bits = UINT64_MAX;
    if (slash < 0 || str_to_u64(str_slice(rest, (size_t)slash + 1, rest.len), &bits) != 0)
        return ADDRESS_ANY;
    const char *ip = str_dup(a, str_slice(rest, 0, (size_t)slash));
    if (parse(ip, ADDRESS_IPV4, address))
        return bits <= 32 ? ADDRESS_IPV4 : ADDRESS_ANY;
    return parse(ip, ADDRESS_IPV6, address) && bits <= 128 ? ADDRESS_IPV6 : ADDRESS_ANY;
}

void check_cidr(struct err_list *out, const struct field_path *p, const char *text)
{
    if (cidr_family(out->arena, text) == ADDRESS_ANY)
        rule_invalid_text(out, p, text,
                          "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
}

void check_domain(struct err_list *out, const struct field_path *p, const char *text)
{
    struct str name = str_from(text_of(text));
    if (name.len == 0) {
        rule_required(out, p, "");
        return;
    }
    if (name.data[name.len - 1] == '.')
        name.len--;
    if (check_name(out, p, str_dup(out->arena, name), name_dns1123_subdomain) &&
        str_find_char(name, '.', 0) < 0)
        rule_invalid_text(out, p, text,
                          "should be a domain with at least two segments separated by dots");
}

void check_protocol(struct err_list *out, const struct field_path *p, const char *protocol)
{
    static const char *const protocols[] = { "SCTP", "TCP", "UDP", NULL };
    if (text_empty(protocol))
        rule_required(out, p, "");
    else
        (void)check_one_of(out, p, protocol, protocols);
}
