/* One describer over one object: the page it makes. */
#ifndef TESTS_UNIT_CLI_PAGE_WORLD_H
#define TESTS_UNIT_CLI_PAGE_WORLD_H

#include "cli/describe.h"
#include "tests/unit/cli/cli_world.h"

/* The page of an object (JSON), events left out, as text in the world's arena. answer: what the
 * server says to every question; NULL: an empty list. */
const char *page_of(struct cli_world *w, describer d, const char *object, const char *answer);
/* A part of a page that takes a tree. */
const char *page_part(struct cli_world *w, void (*part)(struct page *p, const struct json *tree),
                      const char *tree);

#endif
