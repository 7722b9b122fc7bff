/*
 * Errors.
 *
 * A function that can fail returns int: 0, or -ERR_X. When a human may need the reason, its last
 * parameter is a struct err, held by value on the caller's stack: no allocation, safe across
 * threads, and set on failure only. Wrap on the way up ("decode default/hello: ..."). Foreign error
 * numbers (errno, uv, mdb, raft, nghttp2, OpenSSL) are translated in the file that called them.
 *
 * ERR_TABLE is the only mapping from our codes to Kubernetes' API Status: one row per code with its
 * HTTP status, its Status.reason, and whether a client may simply try again.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

/* X(name, http_status, reason, retryable) */
#define ERR_TABLE(X)                                                                               \
    X(INVALID_ARGUMENT, 400, "BadRequest", false)                                                  \
    X(UNAUTHENTICATED, 401, "Unauthorized", false)                                                 \
    X(FORBIDDEN, 403, "Forbidden", false)                                                          \
    X(NOT_FOUND, 404, "NotFound", false)                                                           \
    X(METHOD_NOT_ALLOWED, 405, "MethodNotAllowed", false)                                          \
    X(NOT_ACCEPTABLE, 406, "NotAcceptable", false)                                                 \
    X(CONFLICT, 409, "Conflict", false)                                                            \
    X(ALREADY_EXISTS, 409, "AlreadyExists", false)                                                 \
    X(EXPIRED, 410, "Expired", false)                                                              \
    X(GONE, 410, "Gone", false)                                                                    \
    X(TOO_LARGE, 413, "RequestEntityTooLarge", false)                                              \
    X(UNSUPPORTED_MEDIA_TYPE, 415, "UnsupportedMediaType", false)                                  \
    X(INVALID, 422, "Invalid", false)                                                              \
    X(TOO_MANY_REQUESTS, 429, "TooManyRequests", true)                                             \
    X(INTERNAL, 500, "InternalError", false)                                                       \
    X(UNIMPLEMENTED, 501, "NotImplemented", false)                                                 \
    X(UNAVAILABLE, 503, "ServiceUnavailable", true)                                                \
    X(TIMEOUT, 504, "Timeout", true)                                                               \
    /* Not seen by API clients as such: they are wrapped or handled inside. */                     \
    X(CANCELED, 499, "Canceled", true)                                                             \
    X(EOF, 500, "InternalError", true)                                                             \
    X(AGAIN, 503, "ServiceUnavailable", true)                                                      \
    X(PROTOCOL, 400, "BadRequest", false)                                                          \
    X(PARSE, 400, "BadRequest", false)                                                             \
    X(LIMIT, 413, "RequestEntityTooLarge", false)                                                  \
    X(IO, 500, "InternalError", true)                                                              \
    X(NO_SPACE, 507, "InternalError", false)                                                       \
    X(CORRUPT, 500, "InternalError", false)                                                        \
    /* A leader lost its term while the write was in flight: the outcome is unknown; retry. */     \
    X(UNKNOWN_OUTCOME, 503, "ServiceUnavailable", true)                                            \
    X(NOT_LEADER, 503, "ServiceUnavailable", true)                                                 \
    /* A controller's write carried an older term: another generation works now. */                \
    X(FENCED, 503, "ServiceUnavailable", false)

enum err_code {
    ERR_NONE = 0,
#define ERR_ENUM(name, http_status, reason, retryable) ERR_##name,
    ERR_TABLE(ERR_ENUM)
#undef ERR_ENUM
        ERR_COUNT
};

#define ERR_MESSAGE_BYTES 400

struct err {
    enum err_code code;
    char msg[ERR_MESSAGE_BYTES];
};

/* Sets code and message (truncated to fit; cut at a UTF-8 boundary); returns -code. e may be NULL.
 */
int err_set(struct err *e, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before the message; keeps the code; returns -code. e may be NULL (then returns
 * rc). */
int err_wrap(struct err *e, int rc, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The row of a code; code may be given positive or negative. Unknown codes read as INTERNAL. */
const char *err_name(int code);
int err_http_status(int code);
const char *err_reason(int code);
bool err_retryable(int code);

/* Translates an errno value (positive) into our code, for files that called the system. */
enum err_code err_from_errno(int errno_value);

#endif
