/*
 * tar archives (ustar, with GNU's and pax's long names): written header by header, read as the
 * bytes come. Nothing is trusted of an archive that is read: names are the caller's to judge.
 */
#ifndef CLI_TAR_H
#define CLI_TAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define TAR_BLOCK_BYTES 512
/* Of a name, and of what pax says of one entry. */
#define TAR_EXTRA_BYTES_MAX (64u << 10)

enum tar_type {
    TAR_FILE = '0',
    TAR_HARD_LINK = '1',
    TAR_LINK = '2',
    TAR_FOLDER = '5'
    /* Others are passed on as they are. */
};

struct tar_entry {
    int type; /* enum tar_type */
    struct str name;
    struct str link; /* of links: where to */
    uint64_t size;   /* of files */
    uint32_t mode;   /* permission bits */
    uint32_t uid;
    uint32_t gid;
    int64_t modified_s; /* since 1970 */
};

/* ---- writing ---- */

void tar_write_header(struct buf *out, const struct tar_entry *entry);
/* What follows so many bytes of a file. */
void tar_write_padding(struct buf *out, uint64_t size);
void tar_write_end(struct buf *out);

/* ---- reading ---- */

/* Embedded by the caller, zeroed. */
struct tar_reader {
    /* The caller's; not 0: it ends there. The entry lives for the call. */
    int (*entry)(struct tar_reader *r, const struct tar_entry *entry, struct err *e);
    int (*data)(struct tar_reader *r, struct str bytes, struct err *e);
    int (*end)(struct tar_reader *r, struct err *e); /* of the entry */

    /* Its own. */
    uint8_t block[TAR_BLOCK_BYTES];
    size_t have;   /* of the block */
    uint64_t left; /* of the entry's data */
    uint64_t pad;  /* after it */
    int extra;     /* what the data under way is about: 'L', 'K', 'x', 'g'; 0: a file's */
    bool over;     /* the end mark came */
    struct buf text;
    struct buf name; /* longer than a header's, of the next entry */
    struct buf link;
    bool sized; /* pax gave its size */
    uint64_t size;
};

void tar_reader_init(struct tar_reader *r);
void tar_reader_deinit(struct tar_reader *r);
/* -ERR_PARSE: it is no archive; else what the caller's functions said. */
int tar_read(struct tar_reader *r, struct str bytes, struct err *e);
/* Between two entries: nothing is missing of any. */
bool tar_reader_between(const struct tar_reader *r);

#endif
