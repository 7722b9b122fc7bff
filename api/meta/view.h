/*
 * Views: kinds whose objects lie in the store as another kind's.
 *
 * events.k8s.io/v1 Event shows core/v1 Event: both groups read and write the same rows. A view has
 * the same fields under other numbers and names, so a stored object becomes the view's, and back,
 * by renumbering the fields of its outer message; what lies in them is not looked at. Kinds that
 * are no view go through unchanged. Pure; any thread.
 */
#ifndef API_META_VIEW_H
#define API_META_VIEW_H

#include <stdint.h>

#include "api/meta/kinds.h"
#include "base/str.h"

struct arena;

/* The other kind of the two that are stored as one; KIND_NONE for most. */
enum kind view_twin(enum kind kind);
/* The number that a field of the stored kind has in this kind; 0: none. */
uint32_t view_field_of_stored(enum kind kind, uint32_t number);
/* A stored payload as this kind shows it; in the arena, or the payload itself. */
struct str view_of_stored(struct arena *a, enum kind kind, struct str payload);
/* A payload of this kind as it is stored. */
struct str view_to_stored(struct arena *a, enum kind kind, struct str payload);

#endif
