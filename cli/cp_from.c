/*
 * cp out of a container: the archive of its tar, unpacked as it comes.
 *
 * What an archive says is not trusted: each name must begin with what was asked for; what is left
 * of it is resolved as text, and a name that leads above the place that was named is skipped. So
 * are symbolic links in the archive, and names that lead through a link that lies there already.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/buf.h"
#include "base/env.h"
#include "cli/compose.h"
#include "cli/cp.h"
#include "cli/quoted.h"
#include "cli/remote.h"
#include "cli/tar.h"

#define FOLDER_MODE 0755
#define FILE_MODE   0666 /* less the umask */

struct unpacking {
    struct cp *cp;
    struct remote remote;
    struct tar_reader tar;
    struct arena arena;
    struct str prefix; /* of every name */
    struct str root;   /* the local path */
    uint64_t received;
    struct env_file *file; /* NULL: what comes is not wanted */
    uint64_t offset;
    bool link_said;
    struct err e;
    int rc;
};

static struct unpacking *unpacking_of(struct tar_reader *r)
{
    return container_of(r, struct unpacking, tar);
}

/* ---- where to ---- */

static bool is_link(struct env *env, struct arena *a, struct str path)
{
    struct env_stat st;
    return env_path_lstat(env, str_dup(a, path), &st, NULL) == 0 && st.is_link;
}

/* A link below the root leads elsewhere; the root itself is the user's own word. */
static bool leads_away(struct unpacking *u, struct str path)
{
    for (size_t i = u->root.len + 1; i <= path.len; i++)
        if ((i == path.len || path.data[i] == '/') &&
            is_link(u->cp->cli->env, &u->arena, str_slice(path, 0, i)))
            return true;
    return false;
}

/* The next part of a path that means something: no "", no ".". False: there is none. */
static bool next_part(struct str *path, struct str *out)
{
    while (str_split(path, '/', out))
        if (out->len > 0 && !str_eq_c(*out, "."))
            return true;
    return false;
}

/* What is left of a name behind the prefix: part by part, since a tar that was asked for "./a"
 * writes "./a/b". */
static bool take_prefix(const struct unpacking *u, struct str *name)
{
    struct str prefix = u->prefix;
    struct str wanted;
    struct str part;
    while (next_part(&prefix, &wanted))
        if (!next_part(name, &part) || !str_eq(part, wanted))
            return false;
    return true;
}

static bool is_folder(struct unpacking *u, struct str path)
{
    struct env_stat st;
    return env_path_stat(u->cp->cli->env, str_dup(&u->arena, path), &st, NULL) == 0 && st.is_dir;
}

/* Where what is left of a name belongs. False: that is outside. */
static bool place_of(struct unpacking *u, struct str rest, bool folder, struct str *out)
{
    struct arena *a = &u->arena;
    rest = cp_clean(a, str_printf(a, "./%.*s", STR_ARG(rest)));
    bool inside = !str_eq_c(rest, "..") && !str_starts(rest, str_lit("../"));
    bool root = str_eq_c(rest, ".");
    *out = u->root;
    if (root && !folder && is_folder(u, u->root))
        rest = cp_base(u->prefix); /* a file into a folder that is there */
    else if (root)
        return true;
    *out = str_printf(a, "%.*s/%.*s", STR_ARG(u->root), STR_ARG(rest));
    return inside && rest.len > 0 && out->len < PATH_MAX && !leads_away(u, *out);
}

static struct str quoted(struct unpacking *u, struct str text)
{
    struct buf b;
    buf_init(&b);
    quoted_write(&b, text);
    struct str out = str_copy(&u->arena, buf_str(&b));
    buf_deinit(&b);
    return out;
}

static void skip_link(struct unpacking *u, struct str path, struct str link)
{
    if (u->link_said) {
        cli_warn("skipping symlink: %.*s -> %.*s", STR_ARG(quoted(u, path)),
                 STR_ARG(quoted(u, link)));
        return;
    }
    u->link_said = true;
    cli_warn("skipping symlink: %.*s -> %.*s (consider using \"gantry exec -n %.*s %.*s -- "
             "tar cf - %.*s | tar xf -\")",
             STR_ARG(quoted(u, path)), STR_ARG(quoted(u, link)),
             STR_ARG(quoted(u, compose_text_in(u->cp->pod, "metadata", "namespace"))),
             STR_ARG(quoted(u, compose_text_in(u->cp->pod, "metadata", "name"))),
             STR_ARG(quoted(u, str_from(u->cp->remote))));
}

/* ---- entries ---- */

static int open_file(struct unpacking *u, struct str path, struct err *e)
{
    int flags = ENV_FILE_WRITE | ENV_FILE_CREATE | ENV_FILE_TRUNCATE;
    u->offset = 0;
    return env_file_open(u->cp->cli->env, str_dup(&u->arena, path), flags, FILE_MODE, &u->file, e);
}

/* The file that it is another name of came before it, and is copied. */
static int copy_linked(struct unpacking *u, struct str path, struct str link, struct err *e)
{
    struct str from;
    uint8_t bytes[8192];
    struct env_file *f;
    size_t n = 0;
    struct str rest = link;
    bool good =
        take_prefix(u, &rest) && place_of(u, rest, /* folder */ false, &from) &&
        env_file_open(u->cp->cli->env, str_dup(&u->arena, from), ENV_FILE_READ, 0, &f, NULL) == 0;
    if (!good) {
        cli_warn("skipping %.*s: it is a name of %.*s, which was not copied",
                 STR_ARG(quoted(u, path)), STR_ARG(quoted(u, link)));
        return 0;
    }
    int rc = open_file(u, path, e);
    while (rc == 0 && (rc = env_file_pread(f, u->offset, bytes, sizeof bytes, &n, e)) == 0 &&
           n > 0) {
        rc = env_file_pwrite(u->file, u->offset, str_of(bytes, n), e);
        u->offset += n;
    }
    env_file_close(f);
    return rc;
}

/* "open PATH: ..." */
static int about(int rc, struct str path, struct err *e)
{
    return rc == 0 ? 0 : err_wrap(e, rc, "%.*s", STR_ARG(path));
}

static int on_entry(struct tar_reader *r, const struct tar_entry *entry, struct err *e)
{
    struct unpacking *u = unpacking_of(r);
    struct env *env = u->cp->cli->env;
    struct str path;
    u->file = NULL;
    arena_reset(&u->arena);
    struct str rest = entry->name;
    if (!take_prefix(u, &rest))
        return err_set(e, ERR_PARSE, "tar contents corrupted");
    if (!place_of(u, rest, entry->type == TAR_FOLDER, &path)) {
        cli_warn("file %.*s is outside target destination, skipping", STR_ARG(quoted(u, path)));
        return 0;
    }
    struct str folder = entry->type == TAR_FOLDER ? path : cp_folder(path);
    int rc = env_dir_make(env, str_dup(&u->arena, folder), FOLDER_MODE, e);
    if (rc != 0 || entry->type == TAR_FOLDER)
        return about(rc, folder, e);
    if (entry->type == TAR_LINK)
        skip_link(u, path, entry->link);
    else if (entry->type == TAR_HARD_LINK)
        rc = copy_linked(u, path, entry->link, e);
    else if (entry->type == TAR_FILE)
        rc = open_file(u, path, e);
    return about(rc, path, e);
}

static int on_bytes(struct tar_reader *r, struct str bytes, struct err *e)
{
    struct unpacking *u = unpacking_of(r);
    int rc = u->file == NULL ? 0 : env_file_pwrite(u->file, u->offset, bytes, e);
    u->offset += bytes.len;
    return rc;
}

static int on_end(struct tar_reader *r, struct err *e)
{
    struct unpacking *u = unpacking_of(r);
    (void)e;
    env_file_close(u->file);
    u->file = NULL;
    return 0;
}

static bool take(struct remote *r, struct str bytes)
{
    struct unpacking *u = container_of(r, struct unpacking, remote);
    u->received += bytes.len;
    u->rc = tar_read(&u->tar, bytes, &u->e);
    return u->rc == 0;
}

/* ---- the copy ---- */

/* What tar makes of the path: without the slashes and ".." before it. */
static struct str prefix_of(struct arena *a, struct str path)
{
    struct str prefix = cp_clean(a, path);
    for (;;) {
        if (str_starts(prefix, str_lit("/")))
            prefix = str_slice(prefix, 1, prefix.len);
        else if (str_starts(prefix, str_lit("../")))
            prefix = str_slice(prefix, 3, prefix.len);
        else
            break;
    }
    bool nothing = str_eq_c(prefix, ".") || str_eq_c(prefix, "..");
    return nothing ? str_lit("") : prefix;
}

static int run_tar(struct unpacking *u, struct str path)
{
    struct arena *a = &u->cp->cli->arena;
    const char *script = str_printf(a, "tar cf - \"$0\" | tail -c+%" PRIu64, u->received + 1).data;
    const char *name = str_dup(a, path);
    const char *const whole[] = { "tar", "cf", "-", name, NULL };
    const char *const rest[] = { "sh", "-c", script, name, NULL };
    u->remote = (struct remote){ .cli = u->cp->cli,
                                 .pod = u->cp->pod,
                                 .container = u->cp->container,
                                 .command = u->received == 0 ? whole : rest,
                                 .take = take };
    return remote_run(&u->remote);
}

static int receive(struct unpacking *u, struct str path)
{
    int64_t tries = 0;
    int rc = run_tar(u, path);
    while (rc != CLI_OK && u->rc == 0 && !u->remote.refused && u->remote.channels.socket.lost &&
           (u->cp->retries < 0 || tries < u->cp->retries)) {
        tries++;
        printf("Resuming copy at %" PRIu64 " bytes, retry %" PRId64 "/%" PRId64 "\n", u->received,
               tries, u->cp->retries);
        (void)fflush(stdout); /* before what the next try has to say */
        rc = run_tar(u, path);
    }
    return rc;
}

int cp_from_pod(struct cp *x)
{
    struct arena *a = &x->cli->arena;
    struct str path = str_from(x->remote);
    struct unpacking u = { .cp = x, .tar = { .entry = on_entry, .data = on_bytes, .end = on_end } };
    while (path.len > 1 && path.data[path.len - 1] == '/')
        path = str_slice(path, 0, path.len - 1);
    if (str_starts(path, str_lit("-"))) /* a name, and no flag of tar's */
        path = str_printf(a, "./%.*s", STR_ARG(path));
    arena_init(&u.arena);
    tar_reader_init(&u.tar);
    u.prefix = prefix_of(a, path);
    u.root = cp_clean(a, str_from(x->local));
    int rc = receive(&u, path);
    if (u.rc != 0)
        rc = cli_error("%s", u.e.msg);
    else if (rc == CLI_OK && !u.tar.over)
        rc = cli_error("the archive ends before its end mark: the copy is not complete");
    env_file_close(u.file);
    tar_reader_deinit(&u.tar);
    arena_deinit(&u.arena);
    return rc;
}
