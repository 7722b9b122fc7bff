/*
 * Names of simulated files, and whole disks: what follows a disk whose host has died.
 *
 * Inodes are freed when nothing can reach them any more: no name, as seen or as on the disk, no
 * operation that may still be carried out, and no open file (sim_disk_collect).
 */
#include "base/env_sim_disk.h"

#include <string.h>

#include "base/arena.h"
#include "base/assert.h"

/* ---- names ---- */

static struct sim_entry *find_entry(const struct sim_names *names, struct str name)
{
    for (size_t i = 0; i < names->count; i++)
        if (str_eq_c(name, names->entries[i].name))
            return &names->entries[i];
    return NULL;
}

struct sim_inode *sim_names_find(const struct sim_names *names, struct str name)
{
    struct sim_entry *entry = find_entry(names, name);
    return entry != NULL ? entry->inode : NULL;
}

static char *copy_name(struct str name)
{
    char *copy = mem_alloc(name.len + 1);
    memcpy(copy, name.data, name.len);
    return copy;
}

static void names_put(struct sim_names *names, struct str name, struct sim_inode *inode)
{
    struct sim_entry *entry = find_entry(names, name);
    if (entry != NULL) {
        entry->inode = inode;
        return;
    }
    if (names->count == names->capacity) {
        names->capacity = names->capacity == 0 ? 8 : names->capacity * 2;
        names->entries = mem_realloc(names->entries, names->capacity * sizeof(*names->entries));
    }
    names->entries[names->count++] = (struct sim_entry){ copy_name(name), inode };
}

/* Returns what the name stood for, or NULL. */
static struct sim_inode *names_drop(struct sim_names *names, struct str name)
{
    struct sim_entry *entry = find_entry(names, name);
    if (entry == NULL)
        return NULL;
    struct sim_inode *inode = entry->inode;
    mem_free(entry->name);
    *entry = names->entries[--names->count];
    return inode;
}

static void names_clear(struct sim_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        mem_free(names->entries[i].name);
    mem_free(names->entries);
    *names = (struct sim_names){ 0 };
}

/* ---- operations on a folder ---- */

static struct sim_op *op_add(struct sim_inode *dir, enum sim_op_kind kind, struct str name,
                             struct sim_inode *inode)
{
    struct sim_op *op = mem_alloc(sizeof(*op));
    op->kind = kind;
    op->dir = dir;
    op->name = copy_name(name);
    op->inode = inode;
    list_append(&dir->ops, &op->node);
    return op;
}

static void op_free(struct sim_op *op)
{
    if (op->twin != NULL)
        op->twin->twin = NULL;
    list_remove(&op->node);
    mem_free(op->name);
    mem_free(op->to);
    mem_free(op);
}

static struct sim_op *first_op(struct sim_inode *dir)
{
    return list_empty(&dir->ops) ? NULL : container_of(dir->ops.next, struct sim_op, node);
}

/* On the disk's side. */
static void op_apply(const struct sim_op *op)
{
    struct sim_names *names = &op->dir->kept_names;
    struct sim_inode *moved;
    switch (op->kind) {
    case SIM_OP_ADD:
        names_put(names, str_from(op->name), op->inode);
        break;
    case SIM_OP_DROP:
        (void)names_drop(names, str_from(op->name)); /* its inode may have other names */
        break;
    case SIM_OP_MOVE:
        moved = names_drop(names, str_from(op->name));
        /* Operations reach the disk in order; the copy a dead host works on has no disk. */
        ASSERT(moved != NULL || op->dir->heir != NULL);
        if (moved != NULL)
            names_put(names, str_from(op->to), moved);
        break;
    }
}

/* The folder's side that the host sees. */
static void seen_put(struct sim_inode *dir, struct str name, struct sim_inode *inode)
{
    struct sim_inode *old = sim_names_find(&dir->seen_names, name);
    if (old != NULL)
        old->links--;
    inode->links++;
    names_put(&dir->seen_names, name, inode);
}

static struct sim_inode *seen_drop(struct sim_inode *dir, struct str name)
{
    struct sim_inode *inode = names_drop(&dir->seen_names, name);
    ASSERT(inode != NULL);
    inode->links--;
    return inode;
}

void sim_dir_add(struct sim_inode *dir, struct str name, struct sim_inode *inode)
{
    seen_put(dir, name, inode);
    (void)op_add(dir, SIM_OP_ADD, name, inode); /* in the folder's list */
}

void sim_dir_drop(struct sim_inode *dir, struct str name)
{
    (void)seen_drop(dir, name);                 /* the caller looked it up */
    (void)op_add(dir, SIM_OP_DROP, name, NULL); /* as above */
}

void sim_dir_rename(struct sim_inode *from, struct str name, struct sim_inode *to,
                    struct str new_name)
{
    if (from == to && str_eq(name, new_name))
        return;
    struct sim_inode *inode = seen_drop(from, name);
    seen_put(to, new_name, inode);
    if (from == to) {
        op_add(from, SIM_OP_MOVE, name, NULL)->to = copy_name(new_name);
        return;
    }
    struct sim_op *drop = op_add(from, SIM_OP_DROP, name, NULL);
    struct sim_op *add = op_add(to, SIM_OP_ADD, new_name, inode);
    drop->twin = add;
    add->twin = drop;
}

/* Carries out the folder's operations up to last (NULL: all), and whatever must come with them. */
static void commit_until(struct sim_inode *dir, const struct sim_op *last)
{
    struct sim_op *op;
    bool done = false;
    while (!done && (op = first_op(dir)) != NULL) {
        struct sim_op *twin = op->twin;
        done = op == last;
        op_apply(op);
        op_free(op); /* the twin does not come back here */
        if (twin != NULL)
            commit_until(twin->dir, twin);
    }
}

void sim_dir_commit(struct sim_inode *dir)
{
    commit_until(dir, NULL);
}

/* ---- power loss: a prefix of each folder's operations ---- */

static void choose_prefix(struct sim_env *env, struct sim_inode *dir)
{
    uint64_t keep = sim_random(env, list_count(&dir->ops) + 1);
    list_foreach (node, &dir->ops) {
        struct sim_op *op = container_of(node, struct sim_op, node);
        op->kept = keep > 0;
        keep -= op->kept;
    }
}

/* A rename between folders happens in both or in neither, and what follows it goes with it. */
static bool shorten_prefix(struct sim_inode *dir)
{
    bool lost = false;
    bool changed = false;
    list_foreach (node, &dir->ops) {
        struct sim_op *op = container_of(node, struct sim_op, node);
        lost = lost || (op->twin != NULL && !op->twin->kept);
        changed = changed || (lost && op->kept);
        op->kept = op->kept && !lost;
    }
    return changed;
}

static void settle_names(struct sim_env *env, struct sim_disk *d)
{
    bool changed = true;
    list_foreach (node, &d->inodes)
        choose_prefix(env, container_of(node, struct sim_inode, node));
    while (changed) {
        changed = false;
        list_foreach (node, &d->inodes)
            changed = shorten_prefix(container_of(node, struct sim_inode, node)) || changed;
    }
    list_foreach (node, &d->inodes) {
        struct sim_op *op;
        while ((op = first_op(container_of(node, struct sim_inode, node))) != NULL) {
            if (op->kept)
                op_apply(op);
            else
                env->faults.lost_names++;
            op->twin = NULL; /* its fate is decided: it is met in its own folder */
            op_free(op);
        }
    }
}

/* ---- inodes ---- */

struct sim_inode *sim_inode_new(struct sim_disk *d, bool is_dir, mode_t mode)
{
    struct sim_inode *n = mem_alloc(sizeof(*n));
    n->number = d->next_number++;
    n->is_dir = is_dir;
    n->mode = mode;
    n->modified_ns = (int64_t)sim_wall_ns(&d->host->base);
    list_init(&n->changes);
    list_init(&n->ops);
    list_append(&d->inodes, &n->node);
    return n;
}

static void inode_free(struct sim_inode *n)
{
    struct sim_op *op;
    sim_inode_drop_changes(n);
    while ((op = first_op(n)) != NULL)
        op_free(op);
    sim_image_clear(&n->seen);
    sim_image_clear(&n->kept);
    names_clear(&n->seen_names);
    names_clear(&n->kept_names);
    list_remove(&n->node);
    mem_free(n);
}

static void mark(struct sim_inode *n);

static void mark_names(const struct sim_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        mark(names->entries[i].inode);
}

/* As deep as folders are, which paths bound. */
static void mark(struct sim_inode *n)
{
    if (n->marked)
        return;
    n->marked = true;
    mark_names(&n->seen_names);
    mark_names(&n->kept_names);
    list_foreach (node, &n->ops) {
        struct sim_op *op = container_of(node, struct sim_op, node);
        if (op->inode != NULL)
            mark(op->inode);
        if (op->twin != NULL)
            mark(op->twin->dir);
    }
}

void sim_disk_collect(struct sim_disk *d)
{
    list_foreach (node, &d->inodes)
        container_of(node, struct sim_inode, node)->marked = false;
    mark(d->root);
    list_foreach (node, &d->inodes) {
        struct sim_inode *n = container_of(node, struct sim_inode, node);
        if (n->opens > 0)
            mark(n);
    }
    list_foreach_safe (node, &d->inodes) {
        struct sim_inode *n = container_of(node, struct sim_inode, node);
        if (!n->marked)
            inode_free(n);
    }
}

/* ---- disks ---- */

static struct sim_disk *disk_alloc(struct sim_host *host)
{
    struct sim_disk *d = mem_alloc(sizeof(*d));
    d->host = host;
    d->next_number = 2; /* as on ext4 the root's */
    list_init(&d->inodes);
    list_init(&d->files);
    list_init(&d->node);
    return d;
}

struct sim_disk *sim_disk_new(struct sim_host *host)
{
    struct sim_disk *d = disk_alloc(host);
    d->root = sim_inode_new(d, true, 0755);
    d->root->links = 1;
    return d;
}

void sim_disk_strip(struct sim_disk *d)
{
    list_foreach (node, &d->inodes) {
        struct sim_inode *n = container_of(node, struct sim_inode, node);
        sim_inode_drop_changes(n);
        sim_image_clear(&n->seen);
        sim_image_clear(&n->kept);
    }
}

void sim_disk_free(struct sim_disk *d)
{
    ASSERT(list_empty(&d->files));
    while (!list_empty(&d->inodes))
        inode_free(container_of(d->inodes.next, struct sim_inode, node));
    list_remove(&d->node);
    mem_free(d);
}

/* The heir takes over what lies on the disk; what was seen stays with the dead. */
static void bequeath(struct sim_disk *to, struct sim_inode *n)
{
    struct sim_inode *heir = mem_alloc(sizeof(*heir));
    heir->number = n->number;
    heir->is_dir = n->is_dir;
    heir->mode = n->mode;
    heir->uid = n->uid;
    heir->gid = n->gid;
    heir->modified_ns = n->modified_ns;
    heir->kept = n->kept;
    heir->kept_names = n->kept_names;
    n->kept = (struct sim_image){ 0 };
    n->kept_names = (struct sim_names){ 0 };
    list_init(&heir->changes);
    list_init(&heir->ops);
    list_move(&heir->changes, &n->changes);
    list_move(&heir->ops, &n->ops);
    list_append(&to->inodes, &heir->node);
    n->heir = heir;
}

static void point_to_heirs(struct sim_inode *heir)
{
    for (size_t i = 0; i < heir->kept_names.count; i++)
        heir->kept_names.entries[i].inode = heir->kept_names.entries[i].inode->heir;
    list_foreach (node, &heir->ops) {
        struct sim_op *op = container_of(node, struct sim_op, node);
        op->dir = heir;
        if (op->inode != NULL)
            op->inode = op->inode->heir;
    }
}

static void copy_names(struct sim_names *to, const struct sim_names *from, bool heirs)
{
    for (size_t i = 0; i < from->count; i++) {
        struct sim_inode *inode = from->entries[i].inode;
        inode = heirs ? inode->heir : inode;
        names_put(to, str_from(from->entries[i].name), inode);
        inode->links++;
    }
}

struct sim_disk *sim_disk_succeed(struct sim_disk *d, bool power_loss)
{
    struct sim_env *env = d->host->world;
    struct sim_disk *next = disk_alloc(d->host);
    next->next_number = d->next_number;
    list_foreach (node, &d->inodes)
        bequeath(next, container_of(node, struct sim_inode, node));
    next->root = d->root->heir;
    next->root->links = 1;
    list_foreach (node, &next->inodes)
        point_to_heirs(container_of(node, struct sim_inode, node));
    if (power_loss) {
        settle_names(env, next);
        list_foreach (node, &next->inodes)
            sim_inode_settle(env, container_of(node, struct sim_inode, node));
    }
    list_foreach (node, &d->inodes) {
        struct sim_inode *n = container_of(node, struct sim_inode, node);
        struct sim_inode *heir = n->heir;
        sim_image_copy(&heir->seen, power_loss ? &heir->kept : &n->seen);
        copy_names(&heir->seen_names, power_loss ? &heir->kept_names : &n->seen_names, !power_loss);
    }
    sim_disk_collect(next);
    d->dead = true;
    return next;
}

uint64_t sim_disk_used(const struct sim_disk *d)
{
    uint64_t blocks = 0;
    list_foreach (node, &d->inodes) {
        const struct sim_inode *n = container_of(node, const struct sim_inode, node);
        if (n->links > 0 || n->opens > 0)
            blocks += n->seen.blocks;
    }
    return blocks * SIM_PAGE_BYTES;
}

uint64_t sim_disk_room(const struct sim_disk *d)
{
    uint64_t limit = d->host->limit_bytes;
    if (d->dead)
        return UINT64_MAX;
    if (d->host->full)
        return 0;
    if (limit == UINT64_MAX)
        return UINT64_MAX;
    uint64_t used = sim_disk_used(d);
    return used < limit ? (limit - used) / SIM_PAGE_BYTES : 0;
}
