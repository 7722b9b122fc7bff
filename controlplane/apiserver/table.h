/*
 * meta.k8s.io Table: what `kubectl get` shows, written as JSON straight into a buf.
 *
 * A table is a head, rows, and a tail; a list writes many rows, a single object or a watch event
 * one. Cells come from the kind's registry row.
 */
#ifndef CONTROLPLANE_APISERVER_TABLE_H
#define CONTROLPLANE_APISERVER_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct arena;
struct buf;
struct kind_info;
struct object_style;

enum table_include { TABLE_METADATA, TABLE_OBJECT, TABLE_NONE };

/* What a list says of itself. */
struct list_meta {
    struct str resource_version;
    struct str continue_token; /* empty: none */
    int64_t remaining;         /* negative: unknown */
};

/* Reads ?includeObject=; -ERR_INVALID_ARGUMENT for anything but None, Metadata, Object. */
int table_include_parse(struct str text, int *out, struct err *e);

/* {"kind":"Table",...,"rows":[ */
void table_begin(struct buf *out, const struct kind_info *k, const struct list_meta *meta,
                 const struct object_style *style);
/* One row, without commas around it. payload: the stored protobuf. */
int table_row(struct arena *a, struct buf *out, const struct kind_info *k, struct str payload,
              uint64_t revision, const struct object_style *style, struct err *e);
/* ]} */
void table_end(struct buf *out);

/* {"resourceVersion":"5","continue":"...","remainingItemCount":3}: shared with plain lists. */
void list_meta_write(struct buf *out, const struct list_meta *meta);

#endif
