/* Error codes, their one table, and messages that never overflow. */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct err_row {
    const char *name;
    int http_status;
    const char *reason;
    bool retryable;
};

static const struct err_row err_rows[ERR_COUNT] = { [ERR_NONE] = { "NONE", 200, "", false },
#define ERR_ROW(name, http_status, reason, retryable)                                              \
    [ERR_##name] = { #name, http_status, reason, retryable },
                                                    ERR_TABLE(ERR_ROW)
#undef ERR_ROW
};

/* errno values that mean the same thing to every caller; the rest are ERR_IO. */
static const struct {
    int errno_value;
    enum err_code code;
} err_errnos[] = { { ENOENT, ERR_NOT_FOUND },
                   { ENOTDIR, ERR_NOT_FOUND },
                   { ESRCH, ERR_NOT_FOUND },
                   { ENXIO, ERR_NOT_FOUND },
                   { EEXIST, ERR_ALREADY_EXISTS },
                   { ENOTEMPTY, ERR_CONFLICT },
                   { EBUSY, ERR_CONFLICT },
                   { EADDRINUSE, ERR_ALREADY_EXISTS },
                   { EACCES, ERR_FORBIDDEN },
                   { EPERM, ERR_FORBIDDEN },
                   { EROFS, ERR_FORBIDDEN },
                   { EINVAL, ERR_INVALID_ARGUMENT },
                   { ENAMETOOLONG, ERR_INVALID_ARGUMENT },
                   { EISDIR, ERR_INVALID_ARGUMENT },
                   { ELOOP, ERR_INVALID_ARGUMENT },
                   { EAFNOSUPPORT, ERR_INVALID_ARGUMENT },
                   { EAGAIN, ERR_AGAIN },
                   { EINTR, ERR_AGAIN },
                   { EINPROGRESS, ERR_AGAIN },
                   { ECANCELED, ERR_CANCELED },
                   { ETIMEDOUT, ERR_TIMEOUT },
                   { ECONNREFUSED, ERR_UNAVAILABLE },
                   { ECONNRESET, ERR_UNAVAILABLE },
                   { ECONNABORTED, ERR_UNAVAILABLE },
                   { EPIPE, ERR_UNAVAILABLE },
                   { ENOTCONN, ERR_UNAVAILABLE },
                   { EHOSTUNREACH, ERR_UNAVAILABLE },
                   { ENETUNREACH, ERR_UNAVAILABLE },
                   { ENETDOWN, ERR_UNAVAILABLE },
                   { EHOSTDOWN, ERR_UNAVAILABLE },
                   { EADDRNOTAVAIL, ERR_UNAVAILABLE },
                   { ENOSPC, ERR_NO_SPACE },
                   { EDQUOT, ERR_NO_SPACE },
                   { EMFILE, ERR_LIMIT },
                   { ENFILE, ERR_LIMIT },
                   { EFBIG, ERR_LIMIT },
                   { EMSGSIZE, ERR_LIMIT },
                   { ENOSYS, ERR_UNIMPLEMENTED },
                   { ENOTSUP, ERR_UNIMPLEMENTED } };

/* Length of a message of len bytes without a UTF-8 sequence that was cut at its end. */
static size_t err_whole_characters(const char *msg, size_t len)
{
    size_t start = len;
    while (start > 0 && len - start < 4 && ((unsigned char)msg[start - 1] & 0xC0) == 0x80)
        start--;
    if (start == 0)
        return len;
    unsigned char lead = (unsigned char)msg[start - 1];
    size_t need = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
    return len - start < need ? start - 1 : len;
}

/* Formats into e->msg through a copy, so that the arguments may point into e->msg. */
static void err_format(struct err *e, const char *tail, const char *format, va_list args)
{
    char text[ERR_MESSAGE_BYTES];
    int n = vsnprintf(text, sizeof(text), format, args);
    size_t len = n < 0 ? 0 : (size_t)n;
    if (len >= sizeof(text))
        len = sizeof(text) - 1;
    else if (tail != NULL) {
        int more = snprintf(text + len, sizeof(text) - len, ": %s", tail);
        len += more < 0 ? 0 : (size_t)more;
        if (len >= sizeof(text))
            len = sizeof(text) - 1;
    }
    if (len == sizeof(text) - 1)
        len = err_whole_characters(text, len);
    memcpy(e->msg, text, len);
    e->msg[len] = '\0';
}

int err_set(struct err *e, enum err_code code, const char *format, ...)
{
    if (e != NULL) {
        va_list args;
        va_start(args, format);
        err_format(e, NULL, format, args);
        va_end(args);
        e->code = code;
    }
    return -(int)code;
}

int err_wrap(struct err *e, int rc, const char *format, ...)
{
    if (e == NULL)
        return rc;
    va_list args;
    va_start(args, format);
    char tail[ERR_MESSAGE_BYTES];
    memcpy(tail, e->msg, sizeof(tail));
    tail[sizeof(tail) - 1] = '\0';
    err_format(e, tail, format, args);
    va_end(args);
    return -(int)e->code;
}

static const struct err_row *err_row(int code)
{
    if (code < 0 && code > -ERR_COUNT)
        code = -code;
    return code >= 0 && code < ERR_COUNT ? &err_rows[code] : &err_rows[ERR_INTERNAL];
}

const char *err_name(int code)
{
    return err_row(code)->name;
}

int err_http_status(int code)
{
    return err_row(code)->http_status;
}

const char *err_reason(int code)
{
    return err_row(code)->reason;
}

bool err_retryable(int code)
{
    return err_row(code)->retryable;
}

enum err_code err_from_errno(int errno_value)
{
    for (size_t i = 0; i < sizeof(err_errnos) / sizeof(err_errnos[0]); i++)
        if (err_errnos[i].errno_value == errno_value)
            return err_errnos[i].code;
    return ERR_IO;
}
