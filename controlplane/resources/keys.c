/* A sorted array and its runs. */
#include "controlplane/resources/keys.h"

#include <stdlib.h>
#include <string.h>

#include "api/meta/text.h"
#include "base/arena.h"
#include "base/assert.h"

struct keys keys_new(struct arena *a, size_t most)
{
    struct keys k = { .most = most };
    if (most > 0) {
        k.sorted = arena_array(a, most, sizeof(*k.sorted));
        k.again = arena_array(a, most, sizeof(*k.again));
    }
    return k;
}

void keys_add(struct keys *k, struct key key)
{
    ASSERT(k->count < k->most);
    key.at = k->count;
    k->sorted[k->count++] = key;
}

static int parts_cmp(const struct key *x, const struct key *y)
{
    int order = strcmp(text_of(x->text), text_of(y->text));
    if (order == 0)
        order = strcmp(text_of(x->more), text_of(y->more));
    return order != 0 ? order : (x->number > y->number) - (x->number < y->number);
}

static int key_cmp(const void *a, const void *b)
{
    const struct key *x = a;
    const struct key *y = b;
    int order = parts_cmp(x, y);
    return order != 0 ? order : (x->at > y->at) - (x->at < y->at);
}

void keys_sort(struct keys *k)
{
    if (k->count > 1)
        qsort(k->sorted, k->count, sizeof(*k->sorted), key_cmp);
    for (size_t i = 1; i < k->count; i++)
        k->again[k->sorted[i].at] = parts_cmp(&k->sorted[i - 1], &k->sorted[i]) == 0;
}

bool keys_repeated(const struct keys *k, size_t at)
{
    ASSERT(at < k->count);
    return k->again[at];
}

ptrdiff_t keys_find(const struct keys *k, struct key key)
{
    size_t low = 0;
    size_t high = k->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (parts_cmp(&k->sorted[middle], &key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < k->count && parts_cmp(&k->sorted[low], &key) == 0 ? (ptrdiff_t)k->sorted[low].at
                                                                   : -1;
}

bool keys_have(const struct keys *k, const char *text)
{
    return keys_find(k, (struct key){ .text = text }) >= 0;
}
