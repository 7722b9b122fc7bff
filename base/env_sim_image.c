/*
 * Bytes of a simulated file: sparse pages, the changes that are not yet synced, and what a power
 * loss leaves of them.
 *
 * A sector on the disk is always one of those the file has had in memory since the last sync: the
 * synced one, or that after one of the changes. So a change that survives in a sector brings along
 * what was written to that sector before, and which one a sector has does not depend on the next.
 * Where a truncation is lost, later changes beyond the size it gave are lost with it: the file
 * system's journal keeps its order.
 */
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/env_sim_disk.h"

/* ---- images ---- */

static void page_clear(struct sim_image *image, struct sim_page *page)
{
    image->blocks -= page->there;
    mem_free(page->data);
    *page = (struct sim_page){ 0 };
}

void sim_image_clear(struct sim_image *image)
{
    for (size_t i = 0; i < image->count; i++)
        page_clear(image, &image->pages[i]);
    mem_free(image->pages);
    *image = (struct sim_image){ 0 };
}

void sim_image_copy(struct sim_image *to, const struct sim_image *from)
{
    *to = *from;
    if (from->count == 0)
        return;
    to->pages = mem_dup(from->pages, from->count * sizeof(*from->pages));
    for (size_t i = 0; i < to->count; i++)
        if (to->pages[i].data != NULL)
            to->pages[i].data = mem_dup(from->pages[i].data, SIM_PAGE_BYTES);
}

static struct sim_page *page_at(struct sim_image *image, uint64_t index)
{
    if (index >= image->count) {
        size_t count = image->count * 2 > index ? image->count * 2 : (size_t)index + 1;
        image->pages = mem_realloc(image->pages, count * sizeof(*image->pages));
        memset(image->pages + image->count, 0, (count - image->count) * sizeof(*image->pages));
        image->count = count;
    }
    return &image->pages[index];
}

static void page_write(struct sim_image *image, struct sim_page *page, size_t at, const void *data,
                       size_t len)
{
    image->blocks += !page->there;
    page->there = true;
    if (page->data == NULL && data == NULL)
        return;
    if (page->data == NULL)
        page->data = mem_alloc(SIM_PAGE_BYTES);
    if (data != NULL)
        memcpy(page->data + at, data, len);
    else
        memset(page->data + at, 0, len);
}

/* The bytes of [offset, offset + len) that lie in offset's page. */
static size_t in_page(uint64_t offset, uint64_t len)
{
    size_t left = SIM_PAGE_BYTES - (size_t)(offset % SIM_PAGE_BYTES);
    return len < left ? (size_t)len : left;
}

void sim_image_write(struct sim_image *image, uint64_t offset, const void *data, uint64_t len)
{
    size_t n;
    for (uint64_t done = 0; done < len; done += n) {
        uint64_t at = offset + done;
        const uint8_t *from = data != NULL ? (const uint8_t *)data + done : NULL;
        n = in_page(at, len - done);
        page_write(image, page_at(image, at / SIM_PAGE_BYTES), (size_t)(at % SIM_PAGE_BYTES), from,
                   n);
    }
    if (len > 0 && offset + len > image->size)
        image->size = offset + len;
}

size_t sim_image_read(const struct sim_image *image, uint64_t offset, void *out, size_t len)
{
    if (offset >= image->size)
        return 0;
    if (len > image->size - offset)
        len = (size_t)(image->size - offset);
    size_t n;
    for (size_t done = 0; done < len; done += n) {
        uint64_t at = offset + done;
        uint64_t index = at / SIM_PAGE_BYTES;
        const uint8_t *from = index < image->count ? image->pages[index].data : NULL;
        n = in_page(at, len - done);
        if (from != NULL)
            memcpy((uint8_t *)out + done, from + at % SIM_PAGE_BYTES, n);
        else
            memset((uint8_t *)out + done, 0, n);
    }
    return len;
}

void sim_image_resize(struct sim_image *image, uint64_t size)
{
    uint64_t first_gone = (size + SIM_PAGE_BYTES - 1) / SIM_PAGE_BYTES;
    for (uint64_t i = first_gone; i < image->count; i++)
        page_clear(image, &image->pages[i]);
    size_t tail = (size_t)(size % SIM_PAGE_BYTES);
    uint64_t last = size / SIM_PAGE_BYTES;
    if (tail > 0 && last < image->count && image->pages[last].data != NULL)
        memset(image->pages[last].data + tail, 0, SIM_PAGE_BYTES - tail);
    image->size = size;
}

uint64_t sim_image_fitting(const struct sim_image *image, uint64_t offset, uint64_t len,
                           uint64_t blocks)
{
    size_t n;
    for (uint64_t done = 0; done < len; done += n) {
        uint64_t index = (offset + done) / SIM_PAGE_BYTES;
        bool there = index < image->count && image->pages[index].there;
        if (!there && blocks-- == 0)
            return done;
        n = in_page(offset + done, len - done);
    }
    return len;
}

/* ---- changes ---- */

static void change_add(struct sim_inode *n, bool resize, uint64_t offset, const void *data,
                       uint64_t len)
{
    struct sim_change *c = mem_alloc(sizeof(*c));
    c->resize = resize;
    c->offset = offset;
    c->len = len;
    c->data = data != NULL ? mem_dup(data, (size_t)len) : NULL;
    list_append(&n->changes, &c->node);
}

static void change_free(struct sim_change *c)
{
    list_remove(&c->node);
    mem_free(c->data);
    mem_free(c);
}

static void change_apply(struct sim_image *image, const struct sim_change *c)
{
    if (c->resize)
        sim_image_resize(image, c->offset);
    else
        sim_image_write(image, c->offset, c->data, c->len);
}

void sim_inode_write(struct sim_inode *n, uint64_t offset, const void *data, uint64_t len)
{
    if (len == 0)
        return;
    sim_image_write(&n->seen, offset, data, len);
    change_add(n, false, offset, data, len);
}

void sim_inode_resize(struct sim_inode *n, uint64_t size)
{
    sim_image_resize(&n->seen, size);
    change_add(n, true, size, NULL, 0);
}

static struct sim_change *first_change(struct sim_inode *n)
{
    return list_empty(&n->changes) ? NULL : container_of(n->changes.next, struct sim_change, node);
}

void sim_inode_commit(struct sim_inode *n)
{
    struct sim_change *c;
    while ((c = first_change(n)) != NULL) {
        change_apply(&n->kept, c);
        change_free(c);
    }
}

void sim_inode_drop_changes(struct sim_inode *n)
{
    struct sim_change *c;
    while ((c = first_change(n)) != NULL)
        change_free(c);
}

/* ---- power loss ---- */

static void keep_sector(struct sim_image *kept, const struct sim_image *memory, uint64_t sector)
{
    uint8_t bytes[SIM_SECTOR_BYTES];
    uint64_t offset = sector * SIM_SECTOR_BYTES;
    uint64_t page = offset / SIM_PAGE_BYTES;
    size_t len = sim_image_read(memory, offset, bytes, sizeof(bytes));
    bool zeros = page >= memory->count || memory->pages[page].data == NULL;
    sim_image_write(kept, offset, zeros ? NULL : bytes, len);
}

/* All, none, or each sector of the write by a coin of its own. memory: the file after it. */
static void settle_write(struct sim_env *env, struct sim_image *kept,
                         const struct sim_image *memory, const struct sim_change *c)
{
    enum { NONE, ALL, TORN, OUTCOMES };
    uint64_t outcome = sim_random(env, OUTCOMES);
    uint64_t first = c->offset / SIM_SECTOR_BYTES;
    uint64_t end = (c->offset + c->len - 1) / SIM_SECTOR_BYTES + 1;
    uint64_t coins = 0;
    uint64_t lost = 0;
    for (uint64_t sector = first; sector < end; sector++) {
        unsigned at = (sector - first) % 64;
        if (outcome == TORN && at == 0)
            coins = sim_random(env, UINT64_MAX);
        if (outcome == ALL || (outcome == TORN && (coins >> at & 1) != 0))
            keep_sector(kept, memory, sector);
        else
            lost++;
    }
    if (lost == end - first)
        env->faults.lost_writes++;
    else
        env->faults.torn_sectors += lost;
}

void sim_inode_settle(struct sim_env *env, struct sim_inode *n)
{
    struct sim_image memory;
    uint64_t barrier = UINT64_MAX; /* a size whose truncation was lost */
    struct sim_change *c = first_change(n);
    if (c == NULL)
        return;
    sim_image_copy(&memory, &n->kept);
    for (; c != NULL; c = first_change(n)) {
        bool shrinks = c->resize && c->offset < memory.size;
        change_apply(&memory, c);
        if (c->resize ? barrier != UINT64_MAX : c->offset + c->len > barrier) {
            env->faults.lost_writes++;
        } else if (!c->resize) {
            settle_write(env, &n->kept, &memory, c);
        } else if (sim_random(env, 2) == 0) {
            sim_image_resize(&n->kept, c->offset);
        } else {
            env->faults.lost_writes++;
            barrier = shrinks ? c->offset : barrier;
        }
        change_free(c);
    }
    sim_image_clear(&memory);
}
