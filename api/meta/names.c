/* Character classes by hand: the regular expressions appear only in the messages. */
#include "api/meta/names.h"

#include <string.h>

#include "base/arena.h"

#define SUBDOMAIN_PATTERN "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
#define SUBDOMAIN_TEXT                                                                             \
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "   \
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "  \
    "for validation is '" SUBDOMAIN_PATTERN "')"
#define QUALIFIED_PATTERN "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
#define QUALIFIED_TEXT                                                                             \
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "    \
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "         \
    "validation is '" QUALIFIED_PATTERN "')"

static const char empty_text[] = "must be non-empty";
static const char max63_text[] = "must be no more than 63 bytes";
static const char max253_text[] = "must be no more than 253 bytes";

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower_alnum(char c)
{
    return is_lower(c) || is_digit(c);
}

static bool is_alnum(char c)
{
    return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

static void add(struct name_messages *m, const char *text)
{
    if (m->count < NAME_MESSAGES_MAX)
        m->text[m->count++] = text;
}

/* [a-z0-9]([-a-z0-9]*[a-z0-9])? */
static bool is_label(struct str s)
{
    if (s.len == 0 || !is_lower_alnum(s.data[0]) || !is_lower_alnum(s.data[s.len - 1]))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (!is_lower_alnum(s.data[i]) && s.data[i] != '-')
            return false;
    }
    return true;
}

static bool is_subdomain(struct str s)
{
    struct str part;
    if (s.len == 0)
        return false;
    while (str_split(&s, '.', &part)) {
        if (!is_label(part))
            return false;
    }
    return true;
}

static bool is_qualified_part(struct str s)
{
    if (s.len == 0 || !is_alnum(s.data[0]) || !is_alnum(s.data[s.len - 1]))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        if (!is_alnum(c) && c != '-' && c != '_' && c != '.')
            return false;
    }
    return true;
}

bool name_dns1123_subdomain(struct str value, struct name_messages *m)
{
    m->count = 0;
    if (value.len > NAME_SUBDOMAIN_BYTES_MAX)
        add(m, max253_text);
    if (!is_subdomain(value))
        add(m, SUBDOMAIN_TEXT);
    return m->count == 0;
}

bool name_dns1123_label(struct str value, struct name_messages *m)
{
    m->count = 0;
    if (value.len > NAME_LABEL_BYTES_MAX)
        add(m, max63_text);
    if (!is_label(value))
        add(m, "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or "
               "'-', and must start and end with an alphanumeric character (e.g. 'my-name',  or "
               "'123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')");
    return m->count == 0;
}

bool name_dns1035_label(struct str value, struct name_messages *m)
{
    m->count = 0;
    if (value.len > NAME_LABEL_BYTES_MAX)
        add(m, max63_text);
    if (!is_label(value) || !is_lower(value.data[0]))
        add(m, "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start "
               "with an alphabetic character, and end with an alphanumeric character (e.g. "
               "'my-name',  or 'abc-123', regex used for validation is "
               "'[a-z]([-a-z0-9]*[a-z0-9])?')");
    return m->count == 0;
}

static void check_prefix(struct str prefix, struct name_messages *m)
{
    if (prefix.len == 0) {
        add(m, "prefix part must be non-empty");
        return;
    }
    if (prefix.len > NAME_SUBDOMAIN_BYTES_MAX)
        add(m, "prefix part must be no more than 253 bytes");
    if (!is_subdomain(prefix))
        add(m, "prefix part " SUBDOMAIN_TEXT);
}

bool name_qualified(struct str value, struct name_messages *m)
{
    m->count = 0;
    struct str name = value;
    ptrdiff_t slash = str_find_char(value, '/', 0);
    if (slash >= 0) {
        if (str_find_char(value, '/', (size_t)slash + 1) >= 0) {
            add(m, "a qualified name " QUALIFIED_TEXT
                   " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')");
            return false;
        }
        check_prefix(str_slice(value, 0, (size_t)slash), m);
        name = str_slice(value, (size_t)slash + 1, value.len);
    }
    if (name.len == 0)
        add(m, "name part must be non-empty");
    else if (name.len > NAME_LABEL_BYTES_MAX)
        add(m, "name part must be no more than 63 bytes");
    if (!is_qualified_part(name))
        add(m, "name part " QUALIFIED_TEXT);
    return m->count == 0;
}

bool name_label_value(struct str value, struct name_messages *m)
{
    m->count = 0;
    if (value.len > NAME_LABEL_BYTES_MAX)
        add(m, max63_text);
    if (value.len > 0 && !is_qualified_part(value))
        add(m, "a valid label must be an empty string or consist of alphanumeric characters, '-', "
               "'_' or '.', and must start and end with an alphanumeric character (e.g. "
               "'MyValue',  or 'my_value',  or '12345', regex used for validation is "
               "'(" QUALIFIED_PATTERN ")?')");
    return m->count == 0;
}

bool name_config_key(struct str value, struct name_messages *m)
{
    m->count = 0;
    if (value.len > NAME_SUBDOMAIN_BYTES_MAX)
        add(m, max253_text);
    bool valid = value.len > 0;
    for (size_t i = 0; i < value.len; i++) {
        char c = value.data[i];
        valid = valid && (is_alnum(c) || c == '-' || c == '_' || c == '.');
    }
    if (!valid)
        add(m, "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. "
               "'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is "
               "'[-._a-zA-Z0-9]+')");
    if (str_eq_c(value, "."))
        add(m, "must not be '.'");
    else if (str_eq_c(value, ".."))
        add(m, "must not be '..'");
    else if (str_starts(value, str_lit("..")))
        add(m, "must not start with '..'");
    return m->count == 0;
}

bool name_env_var(struct str value, struct name_messages *m)
{
    m->count = 0;
    if (value.len == 0)
        add(m, empty_text);
    for (size_t i = 0; i < value.len; i++) {
        char c = value.data[i];
        if (c < ' ' || c > '~' || c == '=') {
            add(m, "a valid environment variable name must consist only of printable ASCII "
                   "characters other than '='");
            break;
        }
    }
    return m->count == 0;
}

bool name_port(struct str value, struct name_messages *m)
{
    m->count = 0;
    bool charset = value.len > 0;
    bool letter = false;
    for (size_t i = 0; i < value.len; i++) {
        charset = charset && (is_lower_alnum(value.data[i]) || value.data[i] == '-');
        letter = letter || is_lower(value.data[i]);
    }
    if (value.len > 15)
        add(m, "must be no more than 15 bytes");
    if (!charset)
        add(m, "must contain only alphanumeric characters (a-z, 0-9), and hyphens (-)");
    if (!letter)
        add(m, "must contain at least one letter (a-z)");
    if (str_find(value, str_lit("--")) >= 0)
        add(m, "must not contain consecutive hyphens");
    if (value.len > 0 && (value.data[0] == '-' || value.data[value.len - 1] == '-'))
        add(m, "must not begin or end with a hyphen");
    return m->count == 0;
}

bool name_path_segment(struct str value, struct name_messages *m)
{
    m->count = 0;
    if (str_eq_c(value, "."))
        add(m, "may not be '.'");
    else if (str_eq_c(value, ".."))
        add(m, "may not be '..'");
    if (str_find_char(value, '/', 0) >= 0)
        add(m, "may not contain '/'");
    if (str_find_char(value, '%', 0) >= 0)
        add(m, "may not contain '%'");
    return m->count == 0;
}

/* No vowels and no look-alikes: what upstream uses for generated names. */
static const char safe_alphabet[] = "bcdfghjklmnpqrstvwxz2456789";
#define SAFE_ALPHABET_SIZE (sizeof(safe_alphabet) - 1)

static uint64_t fnv1a_64(struct str bytes, uint32_t attempt)
{
    uint64_t hash = 14695981039346656037ull;
    for (size_t i = 0; i < bytes.len; i++)
        hash = (hash ^ (uint8_t)bytes.data[i]) * 1099511628211ull;
    hash = (hash ^ attempt) * 1099511628211ull;
    /* FNV's low bits are weak; a finalizer spreads them before reducing. */
    hash ^= hash >> 33;
    hash *= 0xff51afd7ed558ccdull;
    hash ^= hash >> 33;
    hash *= 0xc4ceb9fe1a85ec53ull;
    return hash ^ hash >> 33;
}

void name_suffix(struct str request_id, uint32_t attempt, char out[NAME_SUFFIX_BYTES + 1])
{
    uint64_t hash = fnv1a_64(request_id, attempt);
    for (size_t i = 0; i < NAME_SUFFIX_BYTES; i++) {
        out[i] = safe_alphabet[hash % SAFE_ALPHABET_SIZE];
        hash /= SAFE_ALPHABET_SIZE;
    }
    out[NAME_SUFFIX_BYTES] = '\0';
}

struct str name_generate(struct arena *a, struct str base, struct str request_id, uint32_t attempt)
{
    char suffix[NAME_SUFFIX_BYTES + 1];
    name_suffix(request_id, attempt, suffix);
    struct str cut = str_slice(base, 0, NAME_GENERATE_BASE_MAX);
    return str_printf(a, "%.*s%s", STR_ARG(cut), suffix);
}

struct str name_template_hash(struct arena *a, struct str template_bytes, int64_t collision_count)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < template_bytes.len; i++)
        hash = (hash ^ (uint8_t)template_bytes.data[i]) * 16777619u;
    /* The count is hashed as eight little-endian bytes of which four carry it. */
    for (size_t i = 0; collision_count >= 0 && i < 8; i++) {
        uint32_t byte = i < 4 ? (uint32_t)collision_count >> (8 * i) & 0xff : 0;
        hash = (hash ^ byte) * 16777619u;
    }
    struct str decimal = str_printf(a, "%u", hash);
    char *safe = arena_alloc(a, decimal.len + 1);
    for (size_t i = 0; i < decimal.len; i++)
        safe[i] = safe_alphabet[(unsigned char)decimal.data[i] % SAFE_ALPHABET_SIZE];
    return str_of(safe, decimal.len);
}
