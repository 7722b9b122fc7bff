/*
 * Assertions that stay on in every build.
 *
 * ASSERT states what must hold whatever the input: arguments, invariants, both sides of a boundary;
 * one condition each. Never on input: bad input is an error, not an abort. A failed assertion
 * prints the condition and the trace ring (base/log.h) and aborts; peers take over. ASSERT_SLOW is
 * for whole-structure checks and is compiled in only where GANTRY_SLOW_ASSERTS is defined (tests,
 * sim).
 */
#ifndef BASE_ASSERT_H
#define BASE_ASSERT_H

/* Prints and aborts; does not return. Any thread. */
_Noreturn void assert_fail(const char *condition, const char *file, int line, const char *function);

#define ASSERT(condition)                                                                          \
    do {                                                                                           \
        if (__builtin_expect(!(condition), 0))                                                     \
            assert_fail(#condition, __FILE__, __LINE__, __func__);                                 \
    } while (0)

#ifdef GANTRY_SLOW_ASSERTS
#define ASSERT_SLOW(condition) ASSERT(condition)
#else
#define ASSERT_SLOW(condition) ((void)sizeof(condition))
#endif

#endif
