/* Index terms, read in place (see index.h). */
#include "api/client/index.h"

#include "api/meta/object.h"
#include "api/meta/peek.h"

static uint32_t owner_terms(struct str bytes, struct str out_terms[INDEX_TERMS_MAX])
{
    struct object_meta meta;
    struct object_owner owner;
    size_t at = 0;
    uint32_t count = 0;

    object_meta_scan(bytes, &meta);
    while (count < INDEX_TERMS_MAX && object_meta_owner(&meta, &at, &owner))
        if (owner.uid.len > 0)
            out_terms[count++] = owner.uid;
    return count;
}

uint32_t index_terms(enum index_id index, enum kind kind, struct str bytes,
                     struct str out_terms[INDEX_TERMS_MAX])
{
    static const uint8_t node_name_path[] = { 2, 10, 0 }; /* spec.nodeName */

    switch (index) {
    case INDEX_BY_OWNER:
        return owner_terms(bytes, out_terms);
    case INDEX_BY_NODE:
        if (kind != KIND_POD)
            return 0;
        out_terms[0] = peek_string(bytes, node_name_path);
        return 1;
    case INDEX_IDS:
        break;
    }
    return 0;
}
