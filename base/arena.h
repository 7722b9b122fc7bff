/*
 * Arenas: memory that is freed all at once.
 *
 * One arena per request, reconcile or scheduling cycle, reset in one place. Allocation never fails:
 * out of memory aborts the process (peers take over), so every input is bounded before it reaches
 * an arena. Not thread safe: one thread at a time. Blocks are kept on reset up to
 * ARENA_KEEP_BYTES so that a loop's arena stops calling malloc.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena_block;

/* What a reset arena keeps for its next use. */
#define ARENA_KEEP_BYTES (64u << 10)

struct arena {
    struct arena_block *head;
    size_t used;  /* bytes handed out since the last reset */
    size_t limit; /* 0: none; beyond it arena_over_limit() answers true (allocation still works) */
};

void arena_init(struct arena *a);
void arena_deinit(struct arena *a);
void arena_reset(struct arena *a);
bool arena_over_limit(const struct arena *a); /* used > limit; false when there is no limit */

/* Zeroed, aligned to 16 bytes; size 0 gives a valid unique pointer. */
void *arena_alloc(struct arena *a, size_t size);
/* As arena_alloc for count * size; aborts on overflow. */
void *arena_array(struct arena *a, size_t count, size_t size);
void *arena_copy(struct arena *a, const void *data, size_t len);
/* Doubles an arena array when full: returns the array to use, *capacity updated. */
void *arena_grow(struct arena *a, void *array, size_t count, size_t *capacity, size_t size);

#define arena_new(a, type) ((type *)arena_alloc((a), sizeof(type)))

/* malloc family that aborts instead of returning NULL, for what outlives every arena. */
void *mem_alloc(size_t size);       /* zeroed */
void *mem_alloc_bytes(size_t size); /* not zeroed: for bytes that are written at once */
/* A struct, zeroed, and behind it bytes that are written at once. */
void *mem_alloc_with(size_t size, size_t bytes);
void *mem_realloc(void *p, size_t size);
void *mem_dup(const void *data, size_t len);
char *mem_strdup(const char *s);
void mem_free(void *p);

#endif
