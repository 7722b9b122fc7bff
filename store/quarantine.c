/* The file is lines for a person to read; nothing here depends on what they say. */
#include "store/quarantine.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"

#define PATH_BYTES_MAX 1024
#define FILE_BYTES_MAX 4096
/* Of the file, repeated in the error: what to do comes before it. */
#define SHOWN_BYTES_MAX 200

int quarantine_write(struct env *env, const char *folder, const struct quarantine *q, struct err *e)
{
    char path[PATH_BYTES_MAX];
    struct buf b;
    snprintf(path, sizeof path, "%s/%s", folder, QUARANTINE_NAME);
    if (env_path_exists(env, path))
        return 0;
    buf_init(&b);
    buf_printf(&b, "group: %s\n", q->group == STORE_CLUSTER ? "cluster" : "bus");
    buf_printf(&b, "why: %s\n", q->why);
    if (q->index != 0)
        buf_printf(&b, "index: %llu\ndigest: %016llx\nagreed: %016llx\n",
                   (unsigned long long)q->index, (unsigned long long)q->digest,
                   (unsigned long long)q->agreed);
    buf_printf(&b, "seconds since 1970: %llu\n", (unsigned long long)(env_wall_ns(env) / ENV_S));
    int rc = env_file_write(env, path, buf_str(&b), 0600, e);
    buf_deinit(&b);
    return rc;
}

int quarantine_check(struct env *env, const char *folder, struct err *e)
{
    char path[PATH_BYTES_MAX];
    char shown[SHOWN_BYTES_MAX + 1] = "it cannot be read";
    struct str file;
    snprintf(path, sizeof path, "%s/%s", folder, QUARANTINE_NAME);
    if (!env_path_exists(env, path))
        return 0;
    struct arena arena;
    arena_init(&arena);
    if (env_file_read(env, &arena, path, FILE_BYTES_MAX, &file, NULL) == 0) {
        size_t len = file.len < SHOWN_BYTES_MAX ? file.len : SHOWN_BYTES_MAX;
        for (size_t i = 0; i < len; i++) {
            char c = file.data[i];
            shown[i] = c == '\n' ? ';' : c;
            if (c != '\n' && (c < ' ' || c > '~'))
                shown[i] = '?';
        }
        shown[len] = '\0';
    }
    arena_deinit(&arena);
    return err_set(e, ERR_CORRUPT,
                   "this member is in quarantine: remove it with `gantry member remove`, delete %s "
                   "and join anew with `gantryd join` (%s: %s)",
                   folder, QUARANTINE_NAME, shown);
}
