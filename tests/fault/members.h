/*
 * Three members for tests and benches on one machine: certificates, folders, sockets and addresses
 * under one temporary folder; how they run (threads, processes) is the caller's.
 */
#ifndef TESTS_FAULT_MEMBERS_H
#define TESTS_FAULT_MEMBERS_H

#include "base/env.h"
#include "store/store.h"

#define MEMBERS_COUNT      3
#define MEMBERS_PATH_BYTES 256

struct members {
    uint8_t host[3]; /* of 127.0.0.0/8: theirs alone */
    char folder[MEMBERS_PATH_BYTES];
    char ca[MEMBERS_PATH_BYTES + 16];
    struct store_member table[MEMBERS_COUNT];
    char folders[MEMBERS_COUNT][MEMBERS_PATH_BYTES + 16];
    char certs[MEMBERS_COUNT][MEMBERS_PATH_BYTES + 16];
    char keys[MEMBERS_COUNT][MEMBERS_PATH_BYTES + 16];
};

/* Makes all of it in a fresh folder under TEST_TMPDIR or /tmp. Aborts on failure. */
void members_init(struct members *m, struct env *env);
void members_deinit(struct members *m, struct env *env); /* removes the folder */
/* What member i (0..) is opened with. */
/* Gives a member other addresses, as if its machine had been moved; before it is opened again. */
void members_move(struct members *m, int i);
struct store_config members_config(const struct members *m, struct env *env, int i);

#endif
