/* See the header. */
#include "cli/color.h"

#include <stddef.h>

#define BOLD   "\x1b[1m"
#define RED    "\x1b[31m"
#define GREEN  "\x1b[32m"
#define YELLOW "\x1b[33m"
#define GREY   "\x1b[90m"
#define END    "\x1b[0m"

static const struct {
    const char *word;
    const char *color;
} states[] = { { "Running", GREEN },
               { "Active", GREEN },
               { "Ready", GREEN },
               { "Bound", GREEN },
               { "Available", GREEN },
               { "Normal", GREEN },
               { "True", GREEN },
               { "Completed", GREY },
               { "Succeeded", GREY },
               { "Complete", GREY },
               { "Pending", YELLOW },
               { "ContainerCreating", YELLOW },
               { "PodInitializing", YELLOW },
               { "Terminating", YELLOW },
               { "Released", YELLOW },
               { "Warning", YELLOW },
               { "Unknown", YELLOW },
               { "SchedulingGated", YELLOW },
               { "False", RED },
               { "Failed", RED },
               { "Error", RED },
               { "Evicted", RED },
               { "OOMKilled", RED },
               { "NotReady", RED },
               { "CrashLoopBackOff", RED },
               { "ImagePullBackOff", RED },
               { "ErrImagePull", RED },
               { "ErrImageNeverPull", RED },
               { "InvalidImageName", RED },
               { "ContainerStatusUnknown", RED },
               { "DeadlineExceeded", RED } };

const char *color_title(void)
{
    return BOLD;
}

const char *color_end(void)
{
    return END;
}

const char *color_of_state(struct str word)
{
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        if (str_eq_c(word, states[i].word))
            return states[i].color;
    if (str_ends(word, str_lit("Error")) || str_ends(word, str_lit("BackOff")))
        return RED;
    return NULL;
}

/* "1/3": some are not ready; "0/0" and "3/3" say nothing. */
static const char *color_of_ratio(struct str text)
{
    ptrdiff_t slash = str_find_char(text, '/', 0);
    uint64_t ready;
    uint64_t wanted;
    if (slash < 0 || str_to_u64(str_slice(text, 0, (size_t)slash), &ready) != 0 ||
        str_to_u64(str_slice(text, (size_t)slash + 1, text.len), &wanted) != 0)
        return NULL;
    return ready < wanted ? YELLOW : NULL;
}

const char *color_of_cell(struct str title, struct str text)
{
    if (str_eq_c(title, "READY"))
        return color_of_ratio(text);
    if (str_eq_c(title, "STATUS") || str_eq_c(title, "TYPE")) {
        /* "Ready,SchedulingDisabled", "Init:CrashLoopBackOff": the first, or the last, says it. */
        ptrdiff_t comma = str_find_char(text, ',', 0);
        ptrdiff_t colon = str_find_char(text, ':', 0);
        if (comma >= 0)
            return YELLOW;
        if (colon < 0)
            return color_of_state(text);
        const char *color = color_of_state(str_slice(text, (size_t)colon + 1, text.len));
        return color != NULL ? color : YELLOW;
    }
    return NULL;
}
