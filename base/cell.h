/*
 * A pointer that is set once, by whichever thread is first: for what is made lazily, is the same
 * whoever makes it, and is never changed afterwards. A zeroed cell is empty.
 */
#ifndef BASE_CELL_H
#define BASE_CELL_H

struct cell {
    _Atomic(void *) value;
};

/* NULL while it is empty. Everything written before the cell was set is seen. */
void *cell_get(const struct cell *c);
/* Sets an empty cell to value and returns it, or what another thread has put there first: then
 * value is still the caller's, who lets it go. */
void *cell_set(struct cell *c, void *value);

#endif
