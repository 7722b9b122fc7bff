/*
 * Which group, and how far: the names that a group's state goes by in logs, copies and backup
 * files.
 */
#ifndef STORE_POINT_H
#define STORE_POINT_H

#include <stdint.h>

enum store_group_id { STORE_CLUSTER = 1, STORE_BUS = 2 };

/* A committed state of a group: all of it belongs to the same LMDB transaction. */
struct point {
    uint64_t index; /* Raft index of the last entry applied */
    uint64_t term;  /* that entry's proposer's term */
    uint64_t revision;
    uint64_t digest; /* running sum over current rows, counters, streams, plain rows */
    uint64_t compacted;
    uint32_t level;            /* feature level */
    uint32_t alarm;            /* STORE_ALARM_* of any member */
    uint64_t timers;           /* keys that expire some day */
    uint64_t next_deadline_ms; /* the earliest of them; 0: none */
    uint64_t clock_ms;         /* the highest a TICK brought */
};

#endif
