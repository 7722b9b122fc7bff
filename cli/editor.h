/* A text in the person's editor. */
#ifndef CLI_EDITOR_H
#define CLI_EDITOR_H

#include "cli/verb.h"

/* Writes the text to a new file, named so that it ends in suffix, runs $KUBE_EDITOR, else $EDITOR,
 * else vi on it, and reads what was saved. On success the file is the caller's to remove; on
 * failure it is gone, or there was none. The strings live in the cli's arena. */
int editor_run(struct cli *c, struct str text, const char *suffix, const char **out_path,
               struct str *out_saved, struct err *e);

#endif
