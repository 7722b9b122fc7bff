/*
 * Is a recorded history of reads and writes linearizable? No I/O, no clock: a simulation and real
 * processes use the same checker.
 *
 * A key is a register {value, revision}; value 0 stands for "absent". An operation may have a guard
 * on what is there before it: it changes the key only when the guard holds. What is known about an
 * operation is its outcome: OK (it was done), FAILED (its guard did not hold) or UNKNOWN (no
 * answer: it may take effect once at any time after its invocation, or never). The history is
 * linearizable when all OK and FAILED operations and some of the UNKNOWN ones can be put in one
 * order that keeps real time (what returned before another was invoked comes first) and in which
 * every answer is right. Keys are independent, so each is searched alone.
 *
 * Revisions are evidence. A write's revision is greater than that of what it replaced, a read tells
 * the revision of what it saw, and a guard names one. Over all keys, revisions of writes are unique
 * and follow real time: one counter gives them. An answer without a revision leaves 0.
 *
 * The search goes through invocations and returns in the order of time and keeps every
 * configuration {register, which open operations have taken effect} that explains all answers so
 * far (just-in-time linearization: G. Lowe, "Testing for linearizability"; the memory is what
 * Wing and Gong's search lacked). An unknown operation stays open for ever, so configurations that
 * took no fewer of them for the same register are dropped: what is left is small. Memory is bounded
 * by the operations open at one time, not by the length of the history; beyond the bounds the
 * verdict is TOO_HARD, never a guess.
 */
#ifndef TESTS_LINCHECK_LINCHECK_H
#define TESTS_LINCHECK_LINCHECK_H

#include <stddef.h>
#include <stdint.h>

struct buf;

/* Operations of one key open at one time, unknown ones that could still take effect included. */
#define LINCHECK_OPEN_MAX 512
/* Configurations of one key at one time: about 150 bytes each. */
#define LINCHECK_CONFIGURATIONS_MAX (1u << 17)
/* Operations a witness shows. */
#define LINCHECK_WITNESS_MAX 256

enum lincheck_kind { LINCHECK_READ, LINCHECK_WRITE };

enum lincheck_guard {
    LINCHECK_ALWAYS,
    LINCHECK_IF_ABSENT,
    LINCHECK_IF_PRESENT,
    LINCHECK_IF_REVISION /* present, with exactly guard_revision */
};

enum lincheck_outcome { LINCHECK_OK, LINCHECK_FAILED, LINCHECK_UNKNOWN };

struct lincheck_op {
    uint32_t client; /* who; for people */
    uint32_t key;
    enum lincheck_kind kind;
    enum lincheck_guard guard; /* of a write */
    enum lincheck_outcome outcome;
    uint64_t guard_revision;
    uint64_t value;    /* written (0: deleted) or read (0: absent) */
    uint64_t revision; /* of the write, or of what was read; 0: not told */
    uint64_t invoked;  /* any clock, the same for all; invoked <= returned */
    uint64_t returned; /* not looked at when the outcome is UNKNOWN */
};

enum lincheck_verdict { LINCHECK_LINEARIZABLE, LINCHECK_VIOLATION, LINCHECK_TOO_HARD };

enum lincheck_reason {
    LINCHECK_NO_ORDER,         /* no order of this key's operations explains the answer of `op` */
    LINCHECK_NEVER_WRITTEN,    /* `op` read what nobody had begun to write */
    LINCHECK_REVISION_TWICE,   /* `op` and `other` wrote the same revision */
    LINCHECK_REVISION_BACKWARD /* `other` had returned a greater one before `op` was invoked */
};

struct lincheck_result {
    enum lincheck_verdict verdict;
    enum lincheck_reason reason;
    size_t op; /* index of the first operation (in order of return) whose answer is wrong */
    size_t other;
    /* A part of the history that is wrong by itself whatever was there before it, as small as
     * leaving out one operation after another makes it. Those marked vague are in it as "may have
     * been done": their answers are not needed. Indexes, in the order of invocation. */
    size_t witness[LINCHECK_WITNESS_MAX];
    unsigned char vague[LINCHECK_WITNESS_MAX];
    size_t witness_count;
    size_t configurations_max; /* most at one time: how hard it was */
};

/* Any thread. ops in any order; borrowed for the call. */
enum lincheck_verdict lincheck(const struct lincheck_op *ops, size_t count,
                               struct lincheck_result *out);

/* The verdict for people: one line, and for a violation the witness, an operation a line. */
void lincheck_print(struct buf *out, const struct lincheck_op *ops,
                    const struct lincheck_result *result);

#endif
