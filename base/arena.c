/*
 * Arenas as a chain of blocks, newest first, and the allocators that abort.
 *
 * Unused bytes of a block are poisoned under AddressSanitizer, so that reading past an allocation
 * or after a reset is found as it would be with malloc.
 */
#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif

#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size)   ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

#define ARENA_ALIGN          16u
#define ARENA_FIRST_BYTES    1024u
#define ARENA_GROW_MIN_COUNT 8u
/* Large arenas end in blocks with a mapping of their own (env_uv.c), which go back to the system:
 * thousands of small ones would stay with the allocator. */
#define ARENA_BLOCK_BYTES_MAX (1u << 20)

struct arena_block {
    struct arena_block *next;
    size_t size; /* of data */
    size_t used; /* of data */
    size_t pad;  /* keeps data aligned to ARENA_ALIGN */
    uint8_t data[];
};

_Static_assert(offsetof(struct arena_block, data) % ARENA_ALIGN == 0, "block data is aligned");

void arena_init(struct arena *a)
{
    *a = (struct arena){ 0 };
}

static void arena_block_free(struct arena_block *b)
{
    ASAN_UNPOISON_MEMORY_REGION(b->data, b->size);
    free(b);
}

void arena_deinit(struct arena *a)
{
    while (a->head != NULL) {
        struct arena_block *b = a->head;
        a->head = b->next;
        arena_block_free(b);
    }
    a->used = 0;
}

void arena_reset(struct arena *a)
{
    /* The largest block within the limit stays: it is what the next use will need. */
    struct arena_block *keep = NULL;
    for (struct arena_block *b = a->head; b != NULL; b = b->next)
        if (b->size <= ARENA_KEEP_BYTES && (keep == NULL || b->size > keep->size))
            keep = b;
    while (a->head != NULL) {
        struct arena_block *b = a->head;
        a->head = b->next;
        if (b != keep)
            arena_block_free(b);
    }
    a->used = 0;
    if (keep == NULL)
        return;
    keep->next = NULL;
    keep->used = 0;
    ASAN_POISON_MEMORY_REGION(keep->data, keep->size);
    a->head = keep;
}

/* Puts a block with room for size bytes at the head, except that an oversized one goes behind a
 * head that still has room for small things. */
static struct arena_block *arena_add_block(struct arena *a, size_t size)
{
    size_t block_bytes = a->head == NULL ? ARENA_FIRST_BYTES : a->head->size * 2;
    if (block_bytes > ARENA_BLOCK_BYTES_MAX)
        block_bytes = ARENA_BLOCK_BYTES_MAX;
    bool oversized = size > block_bytes / 2;
    if (size > block_bytes)
        block_bytes = size;
    struct arena_block *b = malloc(sizeof(*b) + block_bytes);
    ASSERT(b != NULL);
    b->size = block_bytes;
    b->used = 0;
    ASAN_POISON_MEMORY_REGION(b->data, b->size);
    if (oversized && a->head != NULL) {
        b->next = a->head->next;
        a->head->next = b;
    } else {
        b->next = a->head;
        a->head = b;
    }
    return b;
}

void *arena_alloc(struct arena *a, size_t size)
{
    ASSERT(size <= SIZE_MAX / 2);
    size_t rounded = (size + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
    if (rounded == 0)
        rounded = ARENA_ALIGN;
    struct arena_block *b = a->head;
    if (b == NULL || b->size - b->used < rounded)
        b = arena_add_block(a, rounded);
    uint8_t *p = b->data + b->used;
    b->used += rounded;
    a->used += rounded;
    ASAN_UNPOISON_MEMORY_REGION(p, size);
    if (size > 0)
        memset(p, 0, size);
    return p;
}

bool arena_over_limit(const struct arena *a)
{
    return a->limit != 0 && a->used > a->limit;
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
    ASSERT(size == 0 || count <= SIZE_MAX / 2 / size);
    return arena_alloc(a, count * size);
}

void *arena_copy(struct arena *a, const void *data, size_t len)
{
    void *p = arena_alloc(a, len);
    if (len > 0)
        memcpy(p, data, len);
    return p;
}

void *arena_grow(struct arena *a, void *array, size_t count, size_t *capacity, size_t size)
{
    ASSERT(count <= *capacity);
    if (count < *capacity)
        return array;
    size_t wanted = *capacity == 0 ? ARENA_GROW_MIN_COUNT : *capacity * 2;
    void *grown = arena_array(a, wanted, size);
    if (count > 0)
        memcpy(grown, array, count * size);
    *capacity = wanted;
    return grown;
}

void *mem_alloc(size_t size)
{
    void *p = calloc(1, size > 0 ? size : 1);
    ASSERT(p != NULL);
    return p;
}

void *mem_alloc_bytes(size_t size)
{
    return mem_realloc(NULL, size);
}

void *mem_alloc_with(size_t size, size_t bytes)
{
    ASSERT(bytes <= SIZE_MAX - size);
    return memset(mem_alloc_bytes(size + bytes), 0, size);
}

void *mem_realloc(void *p, size_t size)
{
    void *q = realloc(p, size > 0 ? size : 1);
    ASSERT(q != NULL);
    return q;
}

void *mem_dup(const void *data, size_t len)
{
    void *p = mem_alloc_bytes(len);
    if (len > 0)
        memcpy(p, data, len);
    return p;
}

char *mem_strdup(const char *s)
{
    return mem_dup(s, strlen(s) + 1);
}

void mem_free(void *p)
{
    free(p);
}
