/*
 * What part of a collection a list, a watch or a deletecollection is about: a namespace, a label
 * selector, a field selector. Matching reads the stored bytes; nothing is unpacked.
 */
#ifndef CONTROLPLANE_APISERVER_SELECTION_H
#define CONTROLPLANE_APISERVER_SELECTION_H

#include "api/meta/selector.h"
#include "controlplane/apiserver/request.h"

struct selection {
    const struct kind_info *kind;
    const struct resource *resource;
    struct str ns; /* empty: all namespaces, or cluster scope */
    struct selector labels;
    struct field_selector fields;
    bool everything; /* neither selector restricts */
};

/* A selection as it was asked for: two requests with the same text select the same. */
struct selection_text {
    const struct kind_info *kind;
    struct str ns;
    struct str name; /* of the path */
    struct str labels;
    struct str fields;
};

struct selection_text selection_text_of(const struct request *r);
/* Strings are copied into the arena. -ERR_INVALID_ARGUMENT with upstream's text. */
int selection_build(struct arena *a, const struct selection_text *t, struct selection *out,
                    struct err *e);

/* Reads labelSelector and fieldSelector (and the name of the path, for the old watch paths). -ERR_X
 * with r->status set. Lives in the request's arena. */
int selection_parse(struct request *r, struct selection *out);
/* payload: the stored protobuf. */
bool selection_matches(const struct selection *s, struct str payload);
/* The narrowest key prefix that holds every match. In the arena. */
struct str selection_prefix(struct arena *a, const struct selection *s);

#endif
