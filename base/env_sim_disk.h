/*
 * A simulated host's disk: private to base's env_sim files.
 *
 * Every file and folder exists twice: as the running host sees it, and as the disk has it. What
 * lies between the two is a list: of changes to a file's bytes, of operations on a folder's names.
 * A sync carries the list out on the disk's side; a power loss carries out a part of it.
 */
#ifndef BASE_ENV_SIM_DISK_H
#define BASE_ENV_SIM_DISK_H

#include "base/env_sim_impl.h"

#define SIM_PAGE_BYTES   4096u
#define SIM_SECTOR_BYTES 512u

struct sim_page {
    uint8_t *data; /* NULL: zeros */
    bool there;    /* a block is allocated */
};

/* Bytes of a file; beyond size every byte is zero. */
struct sim_image {
    struct sim_page *pages;
    size_t count;
    uint64_t blocks; /* pages that are there */
    uint64_t size;
};

/* Something done to a file's bytes and not yet synced. */
struct sim_change {
    struct list node;
    bool resize; /* to offset; else a write */
    uint64_t offset;
    uint64_t len;
    uint8_t *data; /* NULL: zeros */
};

struct sim_entry {
    char *name;
    struct sim_inode *inode;
};

struct sim_names {
    struct sim_entry *entries;
    size_t count;
    size_t capacity;
};

enum sim_op_kind { SIM_OP_ADD, SIM_OP_DROP, SIM_OP_MOVE };

/* Something done to a folder's names and not yet synced; add and move replace what is there. */
struct sim_op {
    struct list node;
    enum sim_op_kind kind;
    struct sim_inode *dir;
    char *name;
    char *to;                /* of a move */
    struct sim_inode *inode; /* of an add */
    struct sim_op *twin;     /* the other folder's half of a rename: both or none */
    bool kept;               /* survives (sim_disk_succeed) */
};

struct sim_inode {
    struct list node; /* in the disk's inodes */
    uint64_t number;
    bool is_dir;
    mode_t mode;
    uid_t uid;
    gid_t gid;
    int64_t modified_ns;
    struct sim_image seen; /* a file's bytes as the host sees them, */
    struct sim_image kept; /* and as the disk has them */
    struct list changes;
    struct sim_names seen_names; /* a folder's, likewise */
    struct sim_names kept_names;
    struct list ops;
    uint64_t links; /* in seen_names */
    uint64_t opens;
    bool locked;
    bool marked;            /* reachable (sim_disk_collect) */
    struct sim_inode *heir; /* on the disk that follows (sim_disk_succeed) */
};

struct sim_disk {
    struct list node; /* a dead one: in the world's */
    struct sim_host *host;
    bool dead; /* its host died: nothing done here matters any more */
    uint64_t next_number;
    struct sim_inode *root;
    struct list inodes;
    struct list files; /* open */
};

/* ---- bytes (env_sim_image.c) ---- */

void sim_image_clear(struct sim_image *image);
void sim_image_copy(struct sim_image *to, const struct sim_image *from);
/* data NULL: zeros. */
void sim_image_write(struct sim_image *image, uint64_t offset, const void *data, uint64_t len);
size_t sim_image_read(const struct sim_image *image, uint64_t offset, void *out, size_t len);
void sim_image_resize(struct sim_image *image, uint64_t size);
/* How many of the bytes can be written with so many new blocks. */
uint64_t sim_image_fitting(const struct sim_image *image, uint64_t offset, uint64_t len,
                           uint64_t blocks);
void sim_inode_write(struct sim_inode *n, uint64_t offset, const void *data, uint64_t len);
void sim_inode_resize(struct sim_inode *n, uint64_t size);
void sim_inode_commit(struct sim_inode *n); /* a sync */
/* A power loss or a failed sync: some of the changes reach the disk, the rest never will. */
void sim_inode_settle(struct sim_env *env, struct sim_inode *n);
void sim_inode_drop_changes(struct sim_inode *n);

/* ---- names and whole disks (env_sim_disk.c) ---- */

struct sim_disk *sim_disk_new(struct sim_host *host);
void sim_disk_free(struct sim_disk *d);
/* The disk of a host that died: everything, or what survives a power loss. d keeps what the dead
 * code sees. */
struct sim_disk *sim_disk_succeed(struct sim_disk *d, bool power_loss);
void sim_disk_strip(struct sim_disk *d); /* forgets all bytes: nobody looks any more */
void sim_disk_collect(struct sim_disk *d);
uint64_t sim_disk_used(const struct sim_disk *d); /* bytes of blocks */
uint64_t sim_disk_room(const struct sim_disk *d); /* blocks that may still be taken */

struct sim_inode *sim_inode_new(struct sim_disk *d, bool is_dir, mode_t mode);
struct sim_inode *sim_names_find(const struct sim_names *names, struct str name);
void sim_dir_add(struct sim_inode *dir, struct str name, struct sim_inode *inode);
void sim_dir_drop(struct sim_inode *dir, struct str name);
void sim_dir_rename(struct sim_inode *from, struct str name, struct sim_inode *to,
                    struct str new_name);
void sim_dir_commit(struct sim_inode *dir);

/* ---- calls (env_sim_fs.c, env_sim_file.c) ---- */

extern const struct env_fs_ops sim_fs_ops;
extern const struct env_file_ops sim_file_ops;

/* The disk that code running now with this env works on. */
struct sim_disk *sim_disk_of(struct env *env);
/*
 * Begins one operation: counts it, spends its time, fails it when it is to fail. *out_last: the
 * host loses power in it; do at most a part of it, then call sim_host_die and say it went well.
 */
int sim_disk_begin(struct sim_disk *d, enum env_sim_io kind, const char *path, bool *out_last,
                   struct err *e);
void sim_disk_close_files(struct sim_disk *d); /* what the dead left open */
int sim_disk_no_space(struct sim_disk *d, const char *path, struct err *e);
/* The folder that holds path's last part, that part, and what it names (NULL: nothing). */
int sim_disk_find(struct sim_disk *d, const char *verb, const char *path,
                  struct sim_inode **out_dir, struct str *out_name, struct sim_inode **out_inode,
                  struct err *e);
/* A new file or folder of that name in dir: one operation. */
int sim_disk_make(struct sim_disk *d, struct sim_inode *dir, struct str name, bool is_dir,
                  mode_t mode, const char *path, struct sim_inode **out, struct err *e);
void sim_inode_stat(const struct sim_inode *n, struct env_stat *out);
int sim_errno(struct err *e, const char *verb, const char *path, int code);

#endif
