/*
 * meta/v1 Status: the body of every failure and of some successes, with upstream's texts.
 *
 * A struct status is filled once, in the request's arena, by the one function that knows the text;
 * status_encode turns it into the negotiated encoding. Constructors return the -ERR_X that they
 * stand for, so that a failing function ends with `return status_not_found(...)`.
 *
 * details.kind is the plural resource for everything but Invalid, where it is the Kind; the
 * messages qualify it by group ("deployments.apps").
 */
#ifndef CONTROLPLANE_APISERVER_STATUS_H
#define CONTROLPLANE_APISERVER_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "controlplane/apiserver/media.h"

struct arena;
struct buf;
struct err_list;
struct kind_info;

struct status_cause {
    struct str reason;
    struct str message;
    struct str field;
};

struct status {
    bool success;
    int code; /* HTTP status; a plain success (200) leaves it out of the body */
    struct str reason;
    struct str message;
    bool details; /* the members below are sent */
    struct str name;
    struct str group;
    struct str kind;
    struct str uid;
    const struct status_cause *causes;
    size_t causes_count;
    int64_t retry_after_s;
    struct str continue_token; /* metadata.continue, for 410 on a list */
};

/* 422 for a JSON patch that does not apply: upstream keeps the reason to itself, and clients that
 * race for an object compare this text. */
int status_rejected_patch(struct status *s);
/* From an error alone: code and reason of its row, the message as it is. */
int status_from_err(struct arena *a, struct status *s, int rc, const struct err *e);
/* Unknown paths and resources: "the server could not find the requested resource". */
int status_no_route(struct status *s);
/* A method its path does not have: "the server does not allow this method on the requested
 * resource". */
int status_no_method(struct status *s);
/* What HTTP itself refuses, before there is a request: 400, 414, 431 and others. */
void status_refused(struct status *s, int code);
int status_bad_request(struct status *s, struct str message);
int status_not_found(struct arena *a, struct status *s, const struct kind_info *k, struct str name);
int status_already_exists(struct arena *a, struct status *s, const struct kind_info *k,
                          struct str name);
/* "Operation cannot be fulfilled on pods "x": TEXT" */
int status_conflict(struct arena *a, struct status *s, const struct kind_info *k, struct str name,
                    struct str text);
/* As above with the text of a resourceVersion that is not the newest. */
int status_modified(struct arena *a, struct status *s, const struct kind_info *k, struct str name);
/* "pods "x" is forbidden: TEXT" */
int status_forbidden(struct arena *a, struct status *s, const struct kind_info *k, struct str name,
                     struct str text);
int status_not_supported(struct arena *a, struct status *s, const struct kind_info *k,
                         const char *verb);
/* 422 with one cause per row. */
int status_invalid(struct arena *a, struct status *s, const struct kind_info *k, struct str name,
                   const struct err_list *list);
/* The same for what came in the query: options is "ListOptions" and the like, of meta.k8s.io. */
int status_invalid_options(struct arena *a, struct status *s, const char *options,
                           const struct err_list *list);
/* 422 with a single cause; cause is FieldValueInvalid and the like. */
int status_invalid_field(struct arena *a, struct status *s, struct str kind_group, struct str kind,
                         struct str group, struct str name, const struct status_cause *cause);
/* 422 as upstream answers a patch that does not apply: it keeps the reason to itself. */
int status_unprocessable(struct status *s);
/* 500 without a reason, as upstream answers what it has no better code for. */
int status_unforeseen(struct status *s, struct str message);
int status_rv_too_large(struct arena *a, struct status *s, uint64_t wanted, uint64_t current);
/* "too old resource version: 5 (100)" */
int status_rv_too_old(struct arena *a, struct status *s, uint64_t wanted, uint64_t oldest);
int status_too_many_requests(struct status *s);
int status_internal(struct arena *a, struct status *s, struct str text);

/* {"status":"Success", details}; name may be empty: then without details. */
void status_success(struct status *s, const struct kind_info *k, struct str name, struct str uid);

/* Appends the body (JSON ends with a newline; YAML is sent as JSON, which is YAML). */
void status_encode(struct arena *a, const struct status *s, enum media_type type, struct buf *out);

#endif
