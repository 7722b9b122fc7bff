/*
 * A disk that can lose power: the image of what is on stable storage, beside the live folder.
 *
 * The shim (shim.c) runs in the member and keeps the image: a flush of a file copies what was
 * written to it since the last one. Both outlive kill -9. What the image lacks is what a loss of
 * power may take, so image_lose makes the live folder what a disk may hold after one: each page
 * (of 4096 bytes) that was not flushed is there or not, or half of it by sectors; each name that
 * was made, changed or removed after its folder's last flush likewise, in order within a folder.
 * The flush of a file makes its own name durable and those of the folders above it, as journaling
 * file systems do; a rename or a removal needs a flush of the folder.
 *
 * The image is a folder: a file per inode of the live one (its file system must not use inode
 * numbers again: tmpfs) and `journal`, a line an event:
 *     create INODE PATH | folder PATH | rename PATH TAB PATH | remove PATH
 *     sync INODE PATH                                  of a file
 *     sync-folder PATH TAB INODE NAME TAB INODE NAME   what it held then; inode 0: a folder
 */
#ifndef TESTS_FAULT_IMAGE_H
#define TESTS_FAULT_IMAGE_H

#include <stdint.h>

#define IMAGE_JOURNAL    "journal"
#define IMAGE_PAGE_BYTES 4096u

enum image_loss {
    IMAGE_LOSE_ALL, /* everything that was not flushed */
    IMAGE_LOSE_SOME /* each page and name as *rng says */
};

struct image_lost {
    unsigned pages; /* that were not flushed and are gone */
    unsigned kept;  /* not flushed, and there all the same */
    unsigned names;
};

/* No process has the live folder open. Aborts when the folders cannot be read or written. */
void image_lose(const char *root, const char *image, enum image_loss loss, uint64_t *rng,
                struct image_lost *out);

#endif
