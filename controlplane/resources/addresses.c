/* Parsed by inet_pton; the ranges are those no endpoint can be in. */
#include "controlplane/resources/addresses.h"

#include <arpa/inet.h>
#include <string.h>

#include "api/schema/err_list.h"
#include "base/arena.h"

#define IP_EXPECTED "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"

bool address_parse(const char *text, enum address_family family, uint8_t out[ADDRESS_BYTES])
{
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
    if (family != ADDRESS_IPV6 && inet_pton(AF_INET, text, out + sizeof(mapped)) == 1) {
        memcpy(out, mapped, sizeof(mapped));
        return true;
    }
    return family != ADDRESS_IPV4 && inet_pton(AF_INET6, text, out) == 1;
}

/* Why nothing can be sent to it; NULL: it can. */
static const char *special(const uint8_t a[ADDRESS_BYTES])
{
    static const uint8_t zero[ADDRESS_BYTES];
    bool v4 = memcmp(a, zero, 10) == 0 && a[10] == 0xff && a[11] == 0xff;
    const uint8_t *b = a + 12;
    if (v4 ? memcmp(b, zero, 4) == 0 : memcmp(a, zero, ADDRESS_BYTES) == 0)
        return "may not be unspecified (0.0.0.0 or ::)";
    if (v4 ? b[0] == 127 : memcmp(a, zero, ADDRESS_BYTES - 1) == 0 && a[15] == 1)
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
    uint8_t address[ADDRESS_BYTES];
    if (!address_parse(text_of(text), family, address)) {
        rule_invalid_text(out, p, text, messages[family]);
        return;
    }
    const char *why = special(address);
    if (why != NULL)
        rule_invalid_text(out, p, text, why);
}

bool check_ip(struct err_list *out, const struct field_path *p, const char *text)
{
    uint8_t address[ADDRESS_BYTES];
    if (address_parse(text_of(text), ADDRESS_ANY, address))
        return true;
    rule_invalid_text(out, p, text, IP_EXPECTED);
    return false;
}

enum address_family cidr_parse(const char *text, uint8_t out[ADDRESS_BYTES], uint64_t *out_prefix)
{
    struct str rest = str_from(text_of(text));
    ptrdiff_t slash = str_find_char(rest, '/', 0);
    char ip[INET6_ADDRSTRLEN];
    if (slash < 0 || (size_t)slash >= sizeof(ip) ||
        str_to_u64(str_slice(rest, (size_t)slash + 1, rest.len), out_prefix) != 0)
        return ADDRESS_ANY;
    memcpy(ip, rest.data, (size_t)slash);
    ip[slash] = '\0';
    if (address_parse(ip, ADDRESS_IPV4, out))
        return *out_prefix <= 32 ? ADDRESS_IPV4 : ADDRESS_ANY;
    return address_parse(ip, ADDRESS_IPV6, out) && *out_prefix <= 128 ? ADDRESS_IPV6 : ADDRESS_ANY;
}

void check_cidr(struct err_list *out, const struct field_path *p, const char *text)
{
    uint8_t address[ADDRESS_BYTES];
    uint64_t prefix;
    if (cidr_parse(text, address, &prefix) == ADDRESS_ANY)
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
