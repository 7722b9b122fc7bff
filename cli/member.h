/*
 * What the files of `gantry member` share: asking the members' API of whichever member answers, and
 * the rows it answered with.
 */
#ifndef CLI_MEMBER_H
#define CLI_MEMBER_H

#include "api/schema/json.h"
#include "cli/verb.h"

struct member_flags {
    const char *name;    /* of the member: the first word that is no flag */
    const char *address; /* --address */
    const char *server;  /* --server: for the command that add prints */
    const char *group;   /* --group */
    uint64_t raft_port;
    uint64_t peer_port;
    bool wait;
    bool force;
    bool json; /* -o json */
};

/* One request to the first server that answers with something of the API's: 0 and the JSON (in the
 * arena), or -ERR_X with the server's words. */
int member_call(struct cli *c, const char *method, const char *target, struct str body,
                const struct json **out, struct err *e);
/* Prints the answer as it came: for -o json. */
void member_print_json(struct cli *c, const struct json *answer);

/* The words of the rows. */
struct str member_text(const struct json *row, const char *field);
uint64_t member_number(const struct json *row, const char *field, uint64_t otherwise);
bool member_true(const struct json *row, const char *field);
const struct json *member_group(const struct json *row, const char *group);
const struct json *member_find(const struct json *answer, const char *name);

/* ---- member_list.c ---- */

int member_list(struct cli *c, const struct member_flags *f);
/* "ready to vote", "copying 12 of 80 MiB", "behind by 1200 entries": where it is on its way. */
void member_progress(const struct json *row, char *out, size_t size);

#endif
