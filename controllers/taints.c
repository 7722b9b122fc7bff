/* Taints and tolerations (see taints.h). */
#include "controllers/taints.h"

#include "api/meta/peek.h"
#include "controllers/objects.h"

bool toleration_matches(const Toleration *t, const char *key, const char *value, const char *effect)
{
    const char *operator= text_of(t->operator_);

    if (text_of(t->effect)[0] != 0 && !text_eq(t->effect, effect))
        return false;
    if (text_of(t->key)[0] != 0 && !text_eq(t->key, key))
        return false;
    if (text_eq(operator, "Exists"))
        return true;
    /* An empty key needs Exists. */
    return text_of(t->key)[0] != 0 && text_eq(t->value, value);
}

bool taint_tolerated_for(const PodSpec *spec, const Taint *taint, int64_t *out_seconds)
{
    bool tolerated = false;
    int64_t shortest = -1;

    for (size_t i = 0; i < spec->n_tolerations; i++) {
        const Toleration *t = spec->tolerations[i];
        int64_t seconds;

        if (!toleration_matches(t, taint->key, taint->value, taint->effect))
            continue;
        tolerated = true;
        if (!t->has_toleration_seconds)
            continue;
        seconds = t->toleration_seconds > 0 ? t->toleration_seconds : 0;
        if (shortest < 0 || seconds < shortest)
            shortest = seconds;
    }
    if (tolerated)
        *out_seconds = shortest;
    return tolerated;
}

/* The next spec.taints message at or after *at. */
static bool next_taint(struct str spec, size_t *at, struct str *out)
{
    struct peek_field f;

    while (peek_next(spec, at, &f))
        if (f.number == 5 && f.wire == PEEK_BYTES) {
            *out = f.bytes;
            return true;
        }
    return false;
}

bool taints_differ(const struct lister_item *old, const struct lister_item *now)
{
    static const uint8_t spec_path[] = { 2, 0 };
    struct str a = old != NULL ? peek_string(old->bytes, spec_path) : str_of(NULL, 0);
    struct str b = peek_string(now->bytes, spec_path), ta, tb;
    size_t at_a = 0, at_b = 0;

    for (;;) {
        bool more_a = next_taint(a, &at_a, &ta), more_b = next_taint(b, &at_b, &tb);

        if (more_a != more_b)
            return true;
        if (!more_a)
            return false;
        if (!str_eq(ta, tb))
            return true;
    }
}
