/*
 * Private to the API server: the answer that is a list, in the negotiated encoding and transform.
 *
 * Items are appended to r->out as they come (nothing else may be in it). What stands before and
 * behind them is made once what the list says of itself is known: an answer that is sent whole has
 * it then, a long one before its first piece leaves (list_stream.h).
 */
#ifndef CONTROLPLANE_APISERVER_LIST_WRITE_H
#define CONTROLPLANE_APISERVER_LIST_WRITE_H

#include "controlplane/apiserver/object.h"
#include "controlplane/apiserver/table.h"

struct list_writer {
    struct request *request;
    const struct kind_info *kind;
    struct object_style style;
    struct buf head; /* by list_writer_frame */
    struct buf tail;
    struct arena scratch;
    int64_t count; /* items so far */
};

/* For the request's kind and media type. */
void list_writer_init(struct list_writer *w, struct request *r);
void list_writer_deinit(struct list_writer *w);
/* payload: the stored protobuf. -ERR_X with a text when it does not encode. */
int list_writer_add(struct list_writer *w, struct str payload, uint64_t revision, struct err *e);
/* The same, to another place than the answer. */
int list_writer_put(struct list_writer *w, struct buf *out, struct str payload, uint64_t revision,
                    struct err *e);
/* Makes head and tail. items_bytes: of all items; only protobuf says it. */
void list_writer_frame(struct list_writer *w, const struct list_meta *meta, size_t items_bytes);
/* Sets the request's answer of what was added; the writer is done with. */
enum request_run list_writer_answer(struct list_writer *w, const struct list_meta *meta);

#endif
