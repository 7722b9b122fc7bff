/*
 * cp into a container: a tar archive made here, piece by piece as the connection takes it, and
 * unpacked by the container's own tar.
 */
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/buf.h"
#include "base/env.h"
#include "cli/cp.h"
#include "cli/remote.h"
#include "cli/tar.h"

/* Of one read. */
#define PIECE_BYTES (64u << 10)
/* Folders in folders. */
#define DEPTH_MAX 256
/* The exit code of a test that could be made. */
#define TEST_SAYS_NO 1

/* One path that is still to go, in the order in which it goes. */
struct pending {
    const char *path;
    struct str name; /* in the archive */
    int depth;
    struct pending *next;
};

struct packing {
    struct remote remote;
    struct env *env;
    struct arena arena;
    struct pending *first;
    struct env_file *file; /* under way */
    const char *path;      /* its */
    uint64_t offset;
    uint64_t size;
    bool failed; /* the reason was said */
};

static struct packing *packing_of(struct remote *r)
{
    return container_of(r, struct packing, remote);
}

/* What is in a folder goes before what comes after it. */
static int add_folder(struct packing *p, const struct pending *of, size_t *out_count, struct err *e)
{
    struct pending **at = &p->first;
    struct str *names;
    int rc = env_dir_list(p->env, &p->arena, of->path, &names, out_count, e);
    if (rc == 0 && of->depth == DEPTH_MAX)
        return err_set(e, ERR_LIMIT, "folders nest deeper than %d", DEPTH_MAX);
    for (size_t i = 0; rc == 0 && i < *out_count; i++) {
        struct pending *one = arena_new(&p->arena, struct pending);
        one->path = str_printf(&p->arena, "%s/%.*s", of->path, STR_ARG(names[i])).data;
        one->name = str_printf(&p->arena, "%.*s/%.*s", STR_ARG(of->name), STR_ARG(names[i]));
        one->depth = of->depth + 1;
        one->next = *at;
        *at = one;
        at = &one->next;
    }
    return rc;
}

static int start_file(struct packing *p, const struct pending *of, struct tar_entry *entry,
                      struct err *e)
{
    struct env_stat st = { 0 };
    int rc = env_file_open(p->env, of->path, ENV_FILE_READ, 0, &p->file, e);
    if (rc != 0)
        p->file = NULL;
    if (rc == 0)
        rc = env_file_stat(p->file, &st, e);
    p->path = of->path;
    p->offset = 0;
    p->size = st.size;
    entry->type = TAR_FILE;
    entry->size = st.size;
    return rc;
}

/* The next path's header. A folder that is not empty has none: its files name it. */
static int start_next(struct packing *p, struct buf *out, struct err *e)
{
    const struct pending *of = p->first;
    struct env_stat st;
    size_t count = 0;
    p->first = of->next;
    /* A link is followed only where it was named itself. */
    int rc = of->depth == 0 ? env_path_stat(p->env, of->path, &st, e)
                            : env_path_lstat(p->env, of->path, &st, e);
    if (rc != 0)
        return rc;
    struct tar_entry entry = { .type = 0,
                               .name = of->name,
                               .mode = st.mode & 07777,
                               .uid = st.uid,
                               .gid = st.gid,
                               .modified_s = st.modified_ns / (int64_t)ENV_S };
    if (st.is_dir) {
        rc = add_folder(p, of, &count, e);
        entry.type = count == 0 ? TAR_FOLDER : 0;
    } else if (st.is_link) {
        rc = env_link_read(p->env, &p->arena, of->path, &entry.link, e);
        entry.type = TAR_LINK;
    } else if (st.is_file) {
        rc = start_file(p, of, &entry, e);
    } else {
        cli_warn("skipping %s: neither a file, a folder nor a link", of->path);
    }
    if (rc == 0 && entry.type != 0)
        tar_write_header(out, &entry);
    return rc;
}

/* The header promised a size: a file that grows is cut, one that shrinks ends the copy. */
static int go_on(struct packing *p, struct buf *out, struct err *e)
{
    uint64_t left = p->size - p->offset;
    size_t wanted = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
    size_t n = 0;
    buf_reserve(out, wanted);
    int rc = env_file_pread(p->file, p->offset, out->data + out->len, wanted, &n, e);
    if (rc == 0 && n == 0 && left > 0)
        return err_set(e, ERR_IO, "it became shorter while it was copied");
    out->len += rc == 0 ? n : 0;
    p->offset += n;
    if (rc == 0 && p->offset == p->size) {
        env_file_close(p->file);
        p->file = NULL;
        tar_write_padding(out, p->size);
    }
    return rc;
}

static bool fill(struct remote *r, struct buf *out)
{
    struct packing *p = packing_of(r);
    const char *path = p->file != NULL ? p->path : p->first != NULL ? p->first->path : NULL;
    struct err e;
    int rc = 0;
    if (p->file != NULL)
        rc = go_on(p, out, &e);
    else if (p->first != NULL)
        rc = start_next(p, out, &e);
    else
        tar_write_end(out);
    if (rc == 0)
        return path != NULL;
    (void)cli_error("%s: %s", path, e.msg);
    p->failed = true;
    return false; /* without an end mark */
}

/* ---- where to ---- */

/* A clean path that ends so is a folder, and no name of anything in one. */
static bool is_no_name(struct str path)
{
    struct str base = cp_base(path);
    return str_eq_c(base, ".") || str_eq_c(base, "..") || str_eq_c(base, "/");
}

/*
 * Is it a folder in the container? Where there is no `test` to ask, that is said and it is taken
 * for none, as kubectl does; the copy may still succeed. False: nothing will succeed there, and the
 * reason was said.
 */
static bool ask_folder(struct cp *x, struct str path, bool *out)
{
    const char *const command[] = { "test", "-d", str_dup(&x->cli->arena, path), NULL };
    struct remote r = {
        .cli = x->cli, .pod = x->pod, .container = x->container, .command = command, .silent = true
    };
    *out = is_no_name(path);
    int code = *out ? CLI_OK : remote_run(&r);
    *out = code == CLI_OK;
    if (code == CLI_OK || code == TEST_SAYS_NO)
        return true;
    if (code > 0)
        r.why = str_printf(&x->cli->arena, "it ended with exit code %d", code);
    else if (!r.answered)
        return cli_tell("%.*s", STR_ARG(r.why)) == CLI_OK;
    cli_warn("%s is taken for no folder: test -d did not work in the container: %.*s", command[2],
             STR_ARG(r.why));
    return true;
}

/* The folder to unpack in, and the first name of all that is unpacked. */
static bool find_place(struct cp *x, struct str *out_folder, struct str *out_name)
{
    struct str local = str_from(x->local);
    struct str to = cp_clean(&x->cli->arena, str_from(x->remote));
    bool folder;
    if (!ask_folder(x, to, &folder))
        return false;
    while (local.len > 1 && str_ends(local, str_lit("/")))
        local.len--;
    *out_folder = folder ? to : cp_folder(to);
    *out_name = cp_base(folder ? local : to);
    /* What is in "a/.", or "..", goes into the folder itself, and not above it. */
    if (is_no_name(*out_name))
        *out_name = str_lit(".");
    return true;
}

int cp_to_pod(struct cp *x)
{
    struct arena *a = &x->cli->arena;
    struct packing p = { .env = x->cli->env };
    struct str local = cp_clean(a, str_from(x->local));
    struct str into;
    struct str name;
    if (!find_place(x, &into, &name))
        return CLI_FAILED;
    const char *folder = str_dup(a, into);
    const char *const kept[] = { "tar", "-xmf", "-", "-C", folder, NULL };
    const char *const plain[] = {
        "tar", "--no-same-permissions", "--no-same-owner", "-xmf", "-", "-C", folder, NULL
    };
    struct pending first = { .path = str_dup(a, local), .name = name };
    arena_init(&p.arena);
    p.first = &first;
    p.remote = (struct remote){ .cli = x->cli,
                                .pod = x->pod,
                                .container = x->container,
                                .command = x->no_preserve ? plain : kept,
                                .fill = fill };
    int rc = remote_run(&p.remote);
    env_file_close(p.file);
    arena_deinit(&p.arena);
    return p.failed ? CLI_FAILED : rc;
}
