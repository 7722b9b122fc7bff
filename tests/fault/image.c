/* Replays the journal into the names a disk may hold, then writes the files anew; see the header.
 */
#include "tests/fault/image.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/assert.h"

#define NAMES_MAX  4096
#define SECTOR     512u
#define PATH_BYTES 256

struct name {
    char path[PATH_BYTES];
    uint64_t inode; /* 0: a folder */
};

enum change_type { MAKE, RENAME, REMOVE };

/* Of a name, after the last flush of its folder. */
struct change {
    enum change_type type;
    char path[PATH_BYTES];
    char to[PATH_BYTES];
    uint64_t inode;
    bool dropped;
};

struct replay {
    struct name names[NAMES_MAX]; /* durable */
    size_t names_count;
    struct change *changes;
    size_t changes_count;
    size_t changes_capacity;
    uint64_t *rng;
    enum image_loss loss;
    struct image_lost *lost;
};

static uint64_t draw(uint64_t *rng, uint64_t below)
{
    *rng ^= *rng << 13;
    *rng ^= *rng >> 7;
    *rng ^= *rng << 17;
    return *rng % below;
}

/* ---- names ---- */

static struct name *find(struct replay *r, const char *path)
{
    for (size_t i = 0; i < r->names_count; i++)
        if (strcmp(r->names[i].path, path) == 0)
            return &r->names[i];
    return NULL;
}

static void put(struct replay *r, const char *path, uint64_t inode)
{
    struct name *n = find(r, path);

    if (n == NULL) {
        ASSERT(r->names_count < NAMES_MAX);
        n = &r->names[r->names_count++];
        snprintf(n->path, sizeof n->path, "%s", path);
    }
    n->inode = inode;
}

/* The name and, of a folder, what is in it. */
static void drop(struct replay *r, const char *path)
{
    size_t len = strlen(path);
    size_t kept = 0;

    for (size_t i = 0; i < r->names_count; i++) {
        const char *p = r->names[i].path;
        bool gone = strncmp(p, path, len) == 0 && (p[len] == '\0' || p[len] == '/');

        if (!gone)
            r->names[kept++] = r->names[i];
    }
    r->names_count = kept;
}

static void parent_of(const char *path, char out[PATH_BYTES])
{
    const char *slash = strrchr(path, '/');

    snprintf(out, PATH_BYTES, "%.*s", slash == NULL ? 0 : (int)(slash - path), path);
}

static bool inside(const char *path, const char *folder)
{
    char parent[PATH_BYTES];

    parent_of(path, parent);
    return strcmp(parent, folder) == 0;
}

static void put_folders_above(struct replay *r, const char *path)
{
    char folder[PATH_BYTES];

    for (const char *p = path; (p = strchr(p, '/')) != NULL; p++) {
        snprintf(folder, sizeof folder, "%.*s", (int)(p - path), path);
        put(r, folder, 0);
    }
}

/* ---- the journal ---- */

static void change_add(struct replay *r, enum change_type type, const char *path, const char *to,
                       uint64_t inode)
{
    struct change *c;

    if (r->changes_count == r->changes_capacity) {
        r->changes_capacity = r->changes_capacity == 0 ? 64 : 2 * r->changes_capacity;
        r->changes = mem_realloc(r->changes, r->changes_capacity * sizeof *r->changes);
    }
    c = &r->changes[r->changes_count++];
    *c = (struct change){ .type = type, .inode = inode };
    snprintf(c->path, sizeof c->path, "%s", path);
    snprintf(c->to, sizeof c->to, "%s", to);
}

/* The flush of a file: its name and the folders above it are there. */
static void replay_sync(struct replay *r, const char *path, uint64_t inode)
{
    size_t kept = 0;

    put(r, path, inode);
    put_folders_above(r, path);
    for (size_t i = 0; i < r->changes_count; i++)
        if (r->changes[i].type != MAKE || find(r, r->changes[i].path) == NULL)
            r->changes[kept++] = r->changes[i];
    r->changes_count = kept;
}

static void replay_folder(struct replay *r, char *text)
{
    char *rest = text;
    const char *folder = strsep(&rest, "\t");
    size_t len = strlen(folder);
    const char *entry;
    size_t kept = 0;
    char path[PATH_BYTES];

    /* Files that are not listed are gone; folders stay with what is in them. */
    for (size_t i = 0; i < r->names_count; i++)
        if (r->names[i].inode == 0 || !inside(r->names[i].path, folder))
            r->names[kept++] = r->names[i];
    r->names_count = kept;
    while ((entry = strsep(&rest, "\t")) != NULL) {
        char *name = NULL;
        uint64_t inode = strtoull(entry, &name, 10);

        snprintf(path, sizeof path, "%s%s%s", folder, len == 0 ? "" : "/", name + 1);
        put(r, path, inode);
    }
    kept = 0;
    for (size_t i = 0; i < r->changes_count; i++)
        if (!inside(r->changes[i].type == RENAME ? r->changes[i].to : r->changes[i].path, folder))
            r->changes[kept++] = r->changes[i];
    r->changes_count = kept;
    if (len != 0) {
        put(r, folder, 0);
        put_folders_above(r, folder);
    }
}

static void replay_line(struct replay *r, char *line)
{
    char *rest = line;
    const char *verb = strsep(&rest, " ");
    uint64_t inode = 0;

    ASSERT(rest != NULL);
    if (strcmp(verb, "create") == 0 || strcmp(verb, "sync") == 0)
        inode = strtoull(strsep(&rest, " "), NULL, 10);
    ASSERT(rest != NULL);
    if (strcmp(verb, "create") == 0 || strcmp(verb, "folder") == 0) {
        change_add(r, MAKE, rest, "", inode);
    } else if (strcmp(verb, "rename") == 0) {
        const char *from = strsep(&rest, "\t");

        ASSERT(rest != NULL);
        change_add(r, RENAME, from, rest, 0);
    } else if (strcmp(verb, "remove") == 0) {
        change_add(r, REMOVE, rest, "", 0);
    } else if (strcmp(verb, "sync") == 0) {
        replay_sync(r, rest, inode);
    } else {
        ASSERT(strcmp(verb, "sync-folder") == 0);
        replay_folder(r, rest);
    }
}

static void replay_journal(struct replay *r, const char *image)
{
    char path[PATH_MAX];
    char *line = NULL;
    size_t capacity = 0;
    FILE *f;

    snprintf(path, sizeof path, "%s/" IMAGE_JOURNAL, image);
    f = fopen(path, "r");
    if (f == NULL)
        return; /* nothing was ever written */
    while (getline(&line, &capacity, f) > 0) {
        line[strcspn(line, "\n")] = '\0';
        replay_line(r, line);
    }
    free(line);
    fclose(f);
}

static bool has_folder(struct replay *r, const char *path)
{
    char folder[PATH_BYTES];

    parent_of(path, folder);
    return folder[0] == '\0' || find(r, folder) != NULL;
}

/* A folder that is not there takes what was made in it along. */
static void apply_change(struct replay *r, const struct change *c)
{
    struct name *n = find(r, c->path);

    if (!has_folder(r, c->type == RENAME ? c->to : c->path))
        return;
    if (c->type == MAKE && n == NULL) {
        put(r, c->path, c->inode);
    } else if (c->type == REMOVE) {
        drop(r, c->path);
    } else if (c->type == RENAME && n != NULL) {
        uint64_t inode = n->inode;

        drop(r, c->path);
        put(r, c->to, inode);
    }
}

/* Of what was not flushed, in each folder the first few changes may be there. */
static void apply_changes(struct replay *r)
{
    for (size_t i = 0; i < r->changes_count; i++) {
        struct change *c = &r->changes[i];
        const char *at = c->type == RENAME ? c->to : c->path;
        char folder[PATH_BYTES];

        parent_of(at, folder);
        for (size_t k = 0; k < i && !c->dropped; k++) {
            const struct change *before = &r->changes[k];

            c->dropped = before->dropped &&
                         inside(before->type == RENAME ? before->to : before->path, folder);
        }
        c->dropped = c->dropped || r->loss == IMAGE_LOSE_ALL || draw(r->rng, 3) == 0;
        r->lost->names += c->dropped;
        if (!c->dropped)
            apply_change(r, c);
    }
}

/* ---- contents ---- */

struct content {
    uint8_t *bytes;
    size_t len;
};

static struct content content_read(const char *path)
{
    struct content c = { 0 };
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return c;
    ASSERT(fstat(fd, &st) == 0);
    c.len = (size_t)st.st_size;
    c.bytes = mem_alloc(c.len + 1);
    for (size_t at = 0; at < c.len;) {
        ssize_t n = pread(fd, c.bytes + at, c.len - at, (off_t)at);

        ASSERT(n > 0);
        at += (size_t)n;
    }
    close(fd);
    return c;
}

static bool all_zero(const uint8_t *bytes, size_t len)
{
    return len == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0);
}

/* Leaves holes where there are only zeros. */
static void content_write(const char *path, const struct content *c)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    ASSERT(fd >= 0);
    ASSERT(ftruncate(fd, (off_t)c->len) == 0);
    for (size_t at = 0; at < c->len; at += IMAGE_PAGE_BYTES) {
        size_t n = c->len - at < IMAGE_PAGE_BYTES ? c->len - at : IMAGE_PAGE_BYTES;

        if (!all_zero(c->bytes + at, n))
            ASSERT(pwrite(fd, c->bytes + at, n, (off_t)at) == (ssize_t)n);
    }
    close(fd);
}

/* Of one page that was not flushed: how many bytes of it reached the disk. */
static size_t page_kept(struct replay *r, size_t len)
{
    uint64_t chance = r->loss == IMAGE_LOSE_ALL ? 0 : draw(r->rng, 8);

    if (chance < 4)
        return 0;
    return chance < 7 || len <= SECTOR ? len : SECTOR * (size_t)(1 + draw(r->rng, len / SECTOR));
}

/* stable becomes what the disk holds. */
static void content_mix(struct replay *r, struct content *stable, const struct content *live)
{
    for (size_t at = 0; at < live->len; at += IMAGE_PAGE_BYTES) {
        size_t len = live->len - at < IMAGE_PAGE_BYTES ? live->len - at : IMAGE_PAGE_BYTES;
        bool same = at + len <= stable->len ? memcmp(stable->bytes + at, live->bytes + at, len) == 0
                                            : all_zero(live->bytes + at, len);
        size_t kept;

        if (same)
            continue;
        kept = page_kept(r, len);
        r->lost->pages += kept < len;
        r->lost->kept += kept == len;
        if (kept == 0)
            continue;
        if (at + len > stable->len) {
            stable->bytes = mem_realloc(stable->bytes, at + len);
            memset(stable->bytes + stable->len, 0, at + len - stable->len);
            stable->len = at + len;
        }
        memcpy(stable->bytes + at, live->bytes + at, kept);
    }
}

/* ---- the live folder ---- */

struct live {
    char path[PATH_MAX];
    uint64_t inode;
};

struct walk {
    struct live *files;
    size_t count;
};

static void walk_files(struct walk *w, const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;

    ASSERT(dir != NULL);
    while ((entry = readdir(dir)) != NULL) {
        char path[PATH_MAX];
        int n = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);

        ASSERT(n > 0 && (size_t)n < sizeof path);
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (entry->d_type == DT_DIR) {
            walk_files(w, path);
            continue;
        }
        w->files = mem_realloc(w->files, (w->count + 1) * sizeof *w->files);
        memcpy(w->files[w->count].path, path, sizeof path);
        w->files[w->count++].inode = entry->d_ino;
    }
    closedir(dir);
}

static void empty_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;

    ASSERT(dir != NULL);
    while ((entry = readdir(dir)) != NULL) {
        char path[PATH_MAX];

        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (entry->d_type == DT_DIR)
            empty_folder(path);
        ASSERT(unlinkat(AT_FDCWD, path, entry->d_type == DT_DIR ? AT_REMOVEDIR : 0) == 0);
    }
    closedir(dir);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct name *)a)->path, ((const struct name *)b)->path);
}

static struct content content_of(struct replay *r, const struct walk *w, const char *image,
                                 uint64_t inode)
{
    char path[PATH_MAX];
    struct content stable;

    snprintf(path, sizeof path, "%s/%" PRIu64, image, inode);
    stable = content_read(path);
    for (size_t i = 0; i < w->count; i++) {
        struct content live;

        if (w->files[i].inode != inode)
            continue;
        live = content_read(w->files[i].path);
        content_mix(r, &stable, &live);
        mem_free(live.bytes);
    }
    return stable;
}

/* Writes what the disk holds, and an image in which all of it is durable. */
static void rebuild(struct replay *r, const char *root, const char *image,
                    const struct content *contents)
{
    char path[PATH_MAX];
    char stable[PATH_MAX];
    struct stat st;
    FILE *journal;

    empty_folder(root);
    empty_folder(image);
    snprintf(path, sizeof path, "%s/" IMAGE_JOURNAL, image);
    journal = fopen(path, "w");
    ASSERT(journal != NULL);
    for (size_t i = 0; i < r->names_count; i++) {
        const struct name *n = &r->names[i];

        snprintf(path, sizeof path, "%s/%s", root, n->path);
        if (n->inode == 0) {
            ASSERT(mkdir(path, 0700) == 0);
            fprintf(journal, "sync-folder %s\n", n->path);
            continue;
        }
        content_write(path, &contents[i]);
        ASSERT(stat(path, &st) == 0);
        snprintf(stable, sizeof stable, "%s/%llu", image, (unsigned long long)st.st_ino);
        content_write(stable, &contents[i]);
        fprintf(journal, "sync %llu %s\n", (unsigned long long)st.st_ino, n->path);
    }
    fclose(journal);
}

void image_lose(const char *root, const char *image, enum image_loss loss, uint64_t *rng,
                struct image_lost *out)
{
    struct replay *r = mem_alloc(sizeof *r);
    struct walk w = { 0 };
    struct content *contents;

    *out = (struct image_lost){ 0 };
    r->rng = rng;
    r->loss = loss;
    r->lost = out;
    replay_journal(r, image);
    apply_changes(r);
    qsort(r->names, r->names_count, sizeof r->names[0], by_path);
    walk_files(&w, root);
    contents = mem_alloc((r->names_count + 1) * sizeof *contents);
    for (size_t i = 0; i < r->names_count; i++)
        if (r->names[i].inode != 0)
            contents[i] = content_of(r, &w, image, r->names[i].inode);
    rebuild(r, root, image, contents);
    for (size_t i = 0; i < r->names_count; i++)
        mem_free(contents[i].bytes);
    mem_free(contents);
    mem_free(w.files);
    mem_free(r->changes);
    mem_free(r);
}
