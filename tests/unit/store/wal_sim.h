/* A log on a simulated host, with an owner that makes random requests of it until the host dies. */
#ifndef TESTS_UNIT_STORE_WAL_SIM_H
#define TESTS_UNIT_STORE_WAL_SIM_H

#include "base/env_sim.h"
#include "store/wal.h"
#include "tests/unit/store/wal_model.h"

struct wal_sim {
    struct env *world;
    struct env *host;
    struct env_loop *owner;
    struct wal_config config;
    struct wal_model model;
    struct wal_state state;
    struct env_timer tick;
    struct env_msg start;
    struct env_msg msg;
    uint64_t pause_ms;    /* between two ticks, at most */
    size_t in_flight_max; /* 0: makes no requests */
    bool open;
    int held;   /* edges up */
    int freed;  /* and down */
    int failed; /* calls */
    struct err why;
};

void wal_sim_init(struct wal_sim *s, uint64_t seed, uint64_t file_bytes);
void wal_sim_deinit(struct wal_sim *s);
/* Starts the host when it is down and opens the log on it, without a check. The host may die. */
int wal_sim_open(struct wal_sim *s, struct err *e);
void wal_sim_start(struct wal_sim *s);            /* the owner's requests */
void wal_sim_run(struct wal_sim *s, uint64_t ms); /* or until the host is dead */
/* In order when the host is alive; else only memory is freed. */
void wal_sim_close(struct wal_sim *s);

#endif
