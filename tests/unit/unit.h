/*
 * What every unit test includes first: cmocka and the headers it needs before it, in the only order
 * that compiles (the formatter would sort them).
 */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

/* libuv and libraft are not instrumented: ThreadSanitizer sees them open descriptors and not close
 * them, and takes a number's next life for a race on it. Only what happens inside these calls is
 * meant. */
const char *__tsan_default_suppressions(void) __attribute__((weak));
const char *__tsan_default_suppressions(void)
{
    return "race:^socket$\nrace:^open64$\nrace:^open$\nrace:^epoll_ctl$\nrace:^closedir$\n"
           "race:^accept4$\nrace:^eventfd$\nrace:^pipe2$\n";
}

#endif
