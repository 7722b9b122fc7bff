/*
 * Index terms of an object, read from its stored bytes by field number: nothing is unpacked.
 *
 * A lister by index gives the objects that carry a term. The same few indexes serve every kind;
 * an object has no terms under an index that does not apply to it.
 */
#ifndef API_CLIENT_INDEX_H
#define API_CLIENT_INDEX_H

#include <stdint.h>

#include "api/meta/kinds.h"
#include "base/str.h"

enum index_id {
    INDEX_BY_OWNER, /* every metadata.ownerReferences[].uid */
    INDEX_BY_NODE,  /* pods: spec.nodeName; an unassigned pod has the empty term */
    INDEX_IDS
};

/* Terms point into bytes. An object has at most this many under one index; further are ignored. */
#define INDEX_TERMS_MAX 64

/* Returns how many terms were written to out_terms. Malformed bytes have no terms. */
uint32_t index_terms(enum index_id index, enum kind kind, struct str bytes,
                     struct str out_terms[INDEX_TERMS_MAX]);

#endif
