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

struct err_list;

/* The object's own guard and what admission looked at. */
#define WRITE_GUARDS_MAX 8

/* Of a field manager's name, upstream's number. */
#define MANAGER_BYTES_MAX 128

/* Answers with a written payload at r->revision. */
typedef enum request_run write_answer(struct request *r, struct str payload);

struct write {
    const struct kind_info *kind;
    struct str key;
    const struct stored *old; /* NULL: the key must be absent */
    void *object;
    int http_status;
    struct store_guard guards[WRITE_GUARDS_MAX];
    size_t guards_count;
    struct store_op *row_ops; /* plain rows that come and go with it, and what that is bound to */
    size_t row_ops_count;
    struct store_guard *row_guards;
    size_t row_guards_count;
    write_answer *answer; /* in place of the object; NULL: the object */
};

void write_guard(struct write *w, struct str key, uint64_t revision);
/* RUN_COMMIT, or an answer when there is nothing to write (unchanged, dryRun). */
enum request_run write_object(struct request *r, struct write *w);
/* operation.committed of everything that ends in write_object. */
enum request_run write_committed(struct request *r);

/* Removes the row of w->old; payload is the last state that w->answer, or the client, gets. */
enum request_run write_remove(struct request *r, struct write *w, struct str payload);

/* Adds to the transaction that write_object or write_remove made: op, while its key is at this
 * revision. */
void write_also(struct request *r, const struct store_op *op, uint64_t revision);
/* Binds that transaction to what was decided about: this key at this revision, also when the
 * transaction was made of a newer one. */
void write_while(struct request *r, struct str key, uint64_t revision);

/* dryRun, fieldManager and fieldValidation, by the rules of CreateOptions and its like. options:
 * "CreateOptions". -ERR_X with r->status set. */
int write_check_options(struct request *r, const char *options);
/* The parts of it about dryRun and a manager's name; struct err_list is api/schema's. */
void write_check_dry_run(struct request *r, struct err_list *out);
void write_check_manager(struct str manager, const char *path, struct err_list *out);
bool write_is_dry_run(const struct request *r);

/* Creates the object of r->kind in the struct given, which has its name or is to get one. applied:
 * its managed fields are set. */
enum request_run write_create(struct request *r, void *object, bool applied);

struct DeleteOptions;

/* What does not go together in them: 422. Their dryRun becomes the request's. */
int delete_check_options(struct request *r, const struct DeleteOptions *o);
/* Removes the object that the URL names, or makes it Terminating: preconditions, admission, grace,
 * finalizers. answer gets what it was; 404 when there is none. */
enum request_run delete_named(struct request *r, int http_status, write_answer *answer,
                              const struct DeleteOptions *o);

/* Admission of a write; guards go into w. -ERR_X with r->status set. old NULL: create. */
int write_admit(struct request *r, struct write *w, const void *old, const char *sub);
/* Turns a list of field errors into 422; 0 when it is empty. */
int write_check(struct request *r, const struct kind_info *k, struct str name,
                const struct err_list *list);
/* What a valid object is to be told of itself; old NULL: create. */
void write_warn(struct request *r, const void *object, const void *old);
/* The kind of patch that the Content-Type names, checked against the options. -ERR_X with
 * r->status set. */
int patch_type_of(struct request *r, enum patch_type *out);
/* The body, which is no server-side apply, over a tree; schema guides strategic merges. -ERR_X with
 * r->status set. */
int patch_apply(struct request *r, enum patch_type type, const struct schema *schema,
                const struct json *current, const struct json **out);
/* NUL-terminated text, "" for NULL, as a str. */
struct str write_text(const char *c_string);
/* The new object's name is the URL's; else 400 in r->status. */
int write_check_name(struct request *r, const struct ObjectMeta *meta);
/* Why it is a conflict that the uid that was a precondition is not the object's. In the arena. */
struct str write_uid_text(struct request *r, struct str wanted, struct str present);

#endif
