/*
 * Private to the API server: what every writing operation shares.
 *
 * An operation reads the current object, changes a copy of it, and hands both to write_object: that
 * decides whether anything changed, whether the last finalizer is gone (then the object goes too),
 * builds the transaction with its guards and index terms, and answers once it is committed.
 */
#ifndef CONTROLPLANE_APISERVER_WRITE_H
#define CONTROLPLANE_APISERVER_WRITE_H

#include "controlplane/apiserver/object.h"

/* The object's own guard and what admission looked at. */
#define WRITE_GUARDS_MAX 8

struct write {
    const struct kind_info *kind;
    struct str key;
    const struct stored *old; /* NULL: the key must be absent */
    void *object;
    int http_status;
    struct store_guard guards[WRITE_GUARDS_MAX];
    size_t guards_count;
    /* Answers in place of the object, with the written payload at r->revision; NULL: the object. */
    enum request_run (*answer)(struct request *r, struct str payload);
};

void write_guard(struct write *w, struct str key, uint64_t revision);
/* RUN_COMMIT, or an answer when there is nothing to write (unchanged, dryRun). */
enum request_run write_object(struct request *r, struct write *w);
/* operation.committed of everything that ends in write_object. */
enum request_run write_committed(struct request *r);

/* Removes the row of w->old; payload is the last state that w->answer, or the client, gets. */
enum request_run write_remove(struct request *r, struct write *w, struct str payload);

/* dryRun, fieldManager and fieldValidation, by the rules of CreateOptions and its like. options:
 * "CreateOptions". -ERR_X with r->status set. */
int write_check_options(struct request *r, const char *options);
bool write_is_dry_run(const struct request *r);

/* Admission of a write; guards go into w. -ERR_X with r->status set. old NULL: create. */
int write_admit(struct request *r, struct write *w, const void *old, const char *sub);
/* Turns a list of field errors into 422; 0 when it is empty. */
int write_check(struct request *r, const struct kind_info *k, struct str name,
                const struct err_list *list);
/* Applies the request's patch body to a tree, by its Content-Type; schema guides strategic merges.
 * -ERR_X with r->status set. */
int patch_apply(struct request *r, const struct schema *schema, const struct json *current,
                const struct json **out);
/* NUL-terminated text, "" for NULL, as a str. */
struct str write_text(const char *c_string);

#endif
