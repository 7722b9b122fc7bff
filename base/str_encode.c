/* Hex and base64 texts of bytes (RFC 4648), both ways, strictly. */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

static const char base64_standard[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64_url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

struct str str_hex(struct arena *a, struct str bytes)
{
    static const char digits[] = "0123456789abcdef";
    char *out = arena_alloc(a, bytes.len * 2 + 1);
    for (size_t i = 0; i < bytes.len; i++) {
        out[2 * i] = digits[(uint8_t)bytes.data[i] >> 4];
        out[2 * i + 1] = digits[(uint8_t)bytes.data[i] & 15];
    }
    return str_of(out, bytes.len * 2);
}

static struct str base64_encode(struct arena *a, struct str bytes, const char *alphabet, bool pad)
{
    char *out = arena_alloc(a, (bytes.len + 2) / 3 * 4 + 1);
    const uint8_t *in = (const uint8_t *)bytes.data;
    size_t n = 0;
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t left = bytes.len - i;
        uint32_t v = (uint32_t)in[i] << 16;
        v |= left > 1 ? (uint32_t)in[i + 1] << 8 : 0;
        v |= left > 2 ? in[i + 2] : 0;
        out[n++] = alphabet[v >> 18];
        out[n++] = alphabet[v >> 12 & 63];
        if (left > 1 || pad)
            out[n++] = left > 1 ? alphabet[v >> 6 & 63] : '=';
        if (left > 2 || pad)
            out[n++] = left > 2 ? alphabet[v & 63] : '=';
    }
    return str_of(out, n);
}

/* The value of one digit, or -1. */
static int base64_digit(char c, const char *alphabet)
{
    const char *p = c != '\0' ? strchr(alphabet, c) : NULL;
    return p != NULL ? (int)(p - alphabet) : -1;
}

/* text without padding. A last group of one digit, or of digits whose unused bits are not zero, is
 * no encoding of anything. */
static int base64_decode(struct arena *a, struct str text, const char *alphabet, struct str *out)
{
    if (text.len % 4 == 1)
        return -ERR_PARSE;
    uint8_t *bytes = arena_alloc(a, text.len / 4 * 3 + 3);
    uint32_t v = 0;
    unsigned bits = 0;
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        int digit = base64_digit(text.data[i], alphabet);
        if (digit < 0)
            return -ERR_PARSE;
        v = (v << 6 | (uint32_t)digit) & 0xFFFFFF;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes[n++] = (uint8_t)(v >> bits);
        }
    }
    if ((v & ((1u << bits) - 1)) != 0)
        return -ERR_PARSE;
    *out = str_of(bytes, n);
    return 0;
}

struct str str_base64(struct arena *a, struct str bytes)
{
    return base64_encode(a, bytes, base64_standard, true);
}

int str_base64_decode(struct arena *a, struct str text, struct str *out)
{
    if (text.len % 4 != 0)
        return -ERR_PARSE;
    size_t pad = 0;
    while (pad < 2 && pad < text.len && text.data[text.len - 1 - pad] == '=')
        pad++;
    return base64_decode(a, str_slice(text, 0, text.len - pad), base64_standard, out);
}

struct str str_base64url(struct arena *a, struct str bytes)
{
    return base64_encode(a, bytes, base64_url, false);
}

int str_base64url_decode(struct arena *a, struct str text, struct str *out)
{
    return base64_decode(a, text, base64_url, out);
}
