/* See the header. */
#include "cli/editor.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/env.h"
#include "cli/manifest.h"

#define EDITOR_DEFAULT "vi"
#define SHELL_DEFAULT  "/bin/bash"
#define FOLDER_DEFAULT "/tmp"
/* Words of an editor's command line. */
#define WORDS_MAX 64
/* Names tried for the file. */
#define NAMES_MAX 100

struct editor {
    struct env_process process;
    struct env_loop *loop;
    int exit_code;
    int signal;
};

static const char *variable(struct cli *c, const char *name, const char *otherwise)
{
    const char *value = env_variable(c->env, name);
    return value != NULL && value[0] != '\0' ? value : otherwise;
}

/* The command line: what needs a shell gets one, as kubectl has it. */
static int make_words(struct cli *c, const char *path, const char *words[WORDS_MAX], struct err *e)
{
    const char *line = variable(c, "KUBE_EDITOR", variable(c, "EDITOR", EDITOR_DEFAULT));
    struct str rest = str_from(line);
    struct str word;
    size_t count = 0;
    if (strchr(line, ' ') != NULL && strpbrk(line, "\"'\\") != NULL) {
        words[count++] = variable(c, "SHELL", SHELL_DEFAULT);
        words[count++] = "-c";
        words[count++] = str_printf(&c->arena, "%s \"%s\"", line, path).data;
        words[count] = NULL;
        return 0;
    }
    while (str_split(&rest, ' ', &word)) {
        if (count + 2 >= WORDS_MAX)
            return err_set(e, ERR_LIMIT, "the editor's command has more than %d words", WORDS_MAX);
        words[count++] = str_dup(&c->arena, word);
    }
    words[count++] = path;
    words[count] = NULL;
    return 0;
}

static int make_file(struct cli *c, struct str text, const char *suffix, const char **out,
                     struct err *e)
{
    struct env_file *f = NULL;
    int rc = -ERR_ALREADY_EXISTS;
    for (int try = 0; try < NAMES_MAX && rc == -ERR_ALREADY_EXISTS; try++) {
        *out = str_printf(&c->arena, "%s/gantry-edit-%llu%s", variable(c, "TMPDIR", FOLDER_DEFAULT),
                          (unsigned long long)env_random_u64(c->env), suffix)
                   .data;
        rc = env_file_open(c->env, *out, ENV_FILE_WRITE | ENV_FILE_CREATE | ENV_FILE_EXCLUSIVE,
                           0600, &f, e);
    }
    if (rc != 0)
        return err_wrap(e, rc, "a file for the editor");
    rc = env_file_pwrite(f, 0, text, e);
    env_file_close(f);
    return rc;
}

static void on_exit_code(struct env_process *p, int exit_code, int signal)
{
    struct editor *x = container_of(p, struct editor, process);
    x->exit_code = exit_code;
    x->signal = signal;
    env_loop_stop(x->loop);
}

static int launch(struct cli *c, const char *path, struct err *e)
{
    const char *words[WORDS_MAX];
    struct editor x = { .loop = c->loop };
    int rc = make_words(c, path, words, e);
    const struct env_spawn spawn = { .argv = words, .stdin_path = "/dev/stdin" };
    if (rc == 0)
        rc = env_process_start(c->loop, &x.process, &spawn, on_exit_code, e);
    if (rc != 0)
        return err_set(e, ERR_IO, "unable to launch the editor \"%s\"", words[0]);
    env_loop_run(c->loop);
    if (x.exit_code != 0 || x.signal != 0)
        return err_set(e, ERR_IO, "there was a problem with the editor \"%s\"", words[0]);
    return 0;
}

int editor_run(struct cli *c, struct str text, const char *suffix, const char **out_path,
               struct str *out_saved, struct err *e)
{
    const char *path;
    int rc = make_file(c, text, suffix, &path, e);
    if (rc != 0)
        return rc;
    rc = launch(c, path, e);
    if (rc == 0)
        rc = env_file_read(c->env, &c->arena, path, MANIFEST_BYTES_MAX, out_saved, e);
    if (rc != 0) {
        (void)env_path_remove(c->env, path, NULL); /* the reason is the editor's */
        return rc;
    }
    *out_path = path;
    return 0;
}
