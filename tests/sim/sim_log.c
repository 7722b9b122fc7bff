/*
 * Log matching, over all that any disk ever held: who has an entry of some index and term has the
 * bytes that others have for it, and before it one of the same term; by induction the same logs up
 * to there. It is looked at when an entry comes to a disk, so nobody has to apply it first.
 */
#include "base/arena.h"
#include "tests/sim/sim.h"

static raft_term term_before(const struct sim_disk *d)
{
    raft_index index = sim_disk_last(d) - 1;

    if (d->count > 1)
        return d->entries[d->count - 2].term;
    return index != 0 && d->snapshot_index == index ? d->snapshot_term : 0;
}

static struct sim_stored *find(struct sim *s, raft_index index, raft_term term)
{
    struct sim_stored *found = s->stored[index];

    while (found != NULL && found->term != term)
        found = found->next;
    return found;
}

static void note(struct sim *s, raft_index index, raft_term term, raft_term before, uint32_t hash)
{
    struct sim_stored *new = mem_alloc(sizeof(*new));

    *new = (struct sim_stored){
        .next = s->stored[index], .term = term, .before = before, .hash = hash
    };
    s->stored[index] = new;
}

void sim_check_stored(struct sim_node *n)
{
    struct sim *s = n->sim;
    const struct sim_entry *e = &n->disk.entries[n->disk.count - 1];
    raft_index index = sim_disk_last(&n->disk);
    raft_term before = term_before(&n->disk);
    uint32_t hash = sim_hash(e->data, e->len) ^ e->type;
    struct sim_stored *was;

    if (index >= SIM_INDEX_MAX) {
        sim_fail(s, "the log outgrew the simulation (%llu)", index);
        return;
    }
    s->counters.stored++;
    was = find(s, index, e->term);
    if (was == NULL) {
        note(s, index, e->term, before, hash);
        return;
    }
    if (was->hash != hash)
        sim_fail(s, "member %u stores other bytes at index %llu of term %llu than another did",
                 n->index + 1, index, e->term);
    if (before != 0 && was->before != 0 && before != was->before)
        sim_fail(s, "member %u has term %llu before index %llu of term %llu, another had %llu",
                 n->index + 1, before, index, e->term, was->before);
    if (was->before == 0)
        was->before = before;
}

void sim_stored_free(struct sim *s)
{
    for (size_t i = 0; i < SIM_INDEX_MAX; i++)
        while (s->stored[i] != NULL) {
            struct sim_stored *first = s->stored[i];

            s->stored[i] = first->next;
            mem_free(first);
        }
}
