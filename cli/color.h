/* Colours of what people read on a terminal: few, and only where they say something. */
#ifndef CLI_COLOR_H
#define CLI_COLOR_H

#include "base/str.h"

const char *color_title(void);
const char *color_end(void);
/* Of a cell under this title ("STATUS", "READY", ...); NULL: none. */
const char *color_of_cell(struct str title, struct str text);
/* Of a state's word: Running, Pending, CrashLoopBackOff, ... NULL: none. */
const char *color_of_state(struct str word);

#endif
