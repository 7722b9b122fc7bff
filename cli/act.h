/*
 * What the verbs that change things share: objects of manifests with their resource, namespace and
 * path; requests with kubectl's query; what is printed of an object that something was done with.
 */
#ifndef CLI_ACT_H
#define CLI_ACT_H

#include "api/schema/json.h"
#include "cli/ask.h"
#include "cli/manifest.h"
#include "cli/objects.h"
#include "cli/output.h"
#include "cli/verb.h"

enum act_dry { ACT_REAL, ACT_DRY_CLIENT, ACT_DRY_SERVER };

struct act_object {
    const struct json *object; /* its namespace filled in; NULL: only its name is known */
    const struct objects_resource *resource;
    struct str ns; /* empty: of the cluster */
    struct str name;
    struct str source; /* empty: named in the command's words */
    struct str uid;    /* once the server said it */
};

/* What is done to the server, and how it is told. */
struct act {
    struct cli *cli;
    enum act_dry dry;
    const char *output;     /* -o: yaml, json, name; NULL: a line each */
    const char *manager;    /* fieldManager; NULL: none is sent */
    const char *validation; /* fieldValidation; NULL: none is sent */
    bool managed_fields;    /* shown in yaml and json */
    bool one_by_one;        /* whole objects are printed as they come; else several are one list */
    bool as_path;           /* -o jsonpath=... */
    struct output path;
    bool failed;          /* an object could not be shown as -o asks; it was said */
    size_t documents;     /* printed so far */
    struct json *printed; /* whole objects that wait for the end */
    size_t printed_count;
    size_t printed_capacity;
};

/* Rows that several verbs' flags have: a text each, the last a bool. */
extern const struct flag act_dry_run_row[];
extern const struct flag act_output_row[];
extern const struct flag act_validate_row[];
extern const struct flag act_managed_fields_row[];

/* "none", "client", "server", and what pflag takes for a bare flag ("unchanged"). */
int act_dry_run(const char *text, enum act_dry *out, struct err *e);
/* "strict", "warn", "ignore", "true", "false" to the API's word. */
int act_validation(const char *text, const char **out, struct err *e);
/* What a->output asks for: yaml, json, name, JSONPath or nothing. */
int act_output(struct act *a, struct err *e);

/* Says that the command names nothing; CLI_FAILED. */
int act_nothing_named(void);

/* The object of a manifest: -ERR_X with kubectl's words where it has none on the server. */
int act_resolve(struct cli *c, const struct manifest *m, struct act_object *out, struct err *e);
/* "/api/v1/namespaces/a/pods/b?dryRun=All&fieldManager=..."; more: "force=true" or NULL. */
const char *act_target(const struct act *a, const struct act_object *o, bool collection,
                       const char *more);
/* Sends; false where nobody answered, which is said on stderr. */
bool act_send(struct cli *c, const char *method, const char *target, const char *content_type,
              struct str body, struct ask_answer *out);
/* Says what a refusal of this object says: "error when VERB \"SOURCE\": " stands before the
 * message where there is a source. CLI_FAILED. */
int act_refused(struct cli *c, const struct ask_answer *answer, const char *verb,
                struct str source);

/* "deployment.apps/web created (dry run)", or what -o asks for of object. */
void act_print(struct act *a, const struct act_object *o, const struct json *object,
               const char *operation);
/* Prints what waited. a->failed afterwards makes the exit code. */
void act_print_end(struct act *a);
/* One object as text, in the arena. */
struct str act_text(struct cli *c, const struct json *object, bool json);

#endif
