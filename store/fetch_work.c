/* See fetch_state.h: what a fetch does with files. Nothing here knows who calls whom. */
#include <string.h>

#include "store/fetch_state.h"

/* Left free beside a copy that arrives. */
#define ROOM_BYTES (16u << 20)
void fetch_look_work(struct env_work *w)
{
    struct fetch *f = container_of(w, struct fetch, work);
    struct env_stat stat;
    f->work_status = folder_make(f->config.env, f->folder, &f->work_err);
    if (f->work_status != 0 || folder_note_read(f->config.env, f->folder, &f->note) != 0 ||
        env_path_stat(f->config.env, f->path, &stat, NULL) != 0)
        return;
    f->noted = true;
    f->written = stat.size < f->note.bytes ? stat.size : f->note.bytes;
    if (f->written < f->note.bytes)
        f->written -= f->written % COPY_CHUNK_BYTES;
    else if (f->note.point.index >= f->config.min_index)
        f->work_status = env_file_open(f->config.env, f->path, ENV_FILE_READ | ENV_FILE_WRITE, 0,
                                       &f->file, &f->work_err);
}

static int check_room(struct fetch *f, struct err *e)
{
    uint64_t total;
    uint64_t room;
    uint64_t need = f->info.bytes - f->written;
    int rc = env_disk_space(f->config.env, f->folder, &total, &room, e);
    if (rc == 0 && room < need + ROOM_BYTES)
        rc = err_set(e, ERR_NO_SPACE, "%llu more bytes of a copy do not fit %s: %llu are free",
                     (unsigned long long)need, f->folder, (unsigned long long)room);
    return rc;
}

static int begin(struct fetch *f, struct err *e)
{
    struct env *env = f->config.env;
    struct folder_note note = { .copy_id = f->info.id,
                                .point = f->info.point,
                                .bytes = f->info.bytes };
    memcpy(note.sha256, f->info.sha256, sizeof note.sha256);
    env_file_close(f->file);
    f->file = NULL;
    int rc = check_room(f, e);
    /* The file is cut before the note names what it is a part of. */
    if (rc == 0)
        rc = env_file_open(env, f->path, ENV_FILE_READ | ENV_FILE_WRITE | ENV_FILE_CREATE, 0600,
                           &f->file, e);
    if (rc == 0)
        rc = env_file_truncate(f->file, f->written, e);
    if (rc == 0)
        rc = env_file_sync(f->file, e);
    if (rc == 0 && !f->noted)
        rc = folder_note_write(env, f->folder, &note, e);
    f->note = note;
    return rc;
}

void fetch_begin_work(struct env_work *w)
{
    struct fetch *f = container_of(w, struct fetch, work);
    f->work_status = begin(f, &f->work_err);
}

void fetch_write_work(struct env_work *w)
{
    struct fetch *f = container_of(w, struct fetch, work);
    struct chunk *c = f->writing;
    f->work_status = env_file_pwrite(f->file, c->offset, buf_str(&c->bytes), &f->work_err);
    if (f->work_status == 0 && f->sync)
        f->work_status = env_file_sync(f->file, &f->work_err);
}

void fetch_check_work(struct env_work *w)
{
    struct fetch *f = container_of(w, struct fetch, work);
    struct err *e = &f->work_err;
    uint8_t sum[DIGEST_SHA256_BYTES];
    uint64_t bytes;
    int rc = env_file_sync(f->file, e);
    if (rc == 0)
        rc = copy_sum(f->config.env, f->path, &bytes, sum, e);
    if (rc == 0 && (bytes != f->info.bytes || memcmp(sum, f->info.sha256, sizeof sum) != 0))
        rc = err_set(e, ERR_CORRUPT, "what was fetched to %s does not have its digest", f->path);
    if (rc == 0)
        rc = env_dir_sync(f->config.env, f->folder, e);
    f->work_status = rc;
}
