/*
 * Members of one cluster as processes, each in a network namespace of its own.
 *
 * Nothing is named outside and nothing has to be cleaned up: network namespaces are held by
 * descriptors, everything on disk is on memory file systems mounted in a mount namespace of this
 * process, and members die with it. The process itself moves into the fabric: a namespace with a
 * bridge, 10.251.0.254; member i (0..) is m<i+1> at 10.251.0.<11+i>.
 *
 * Each member's data folder is a file system of its own, so that it can be full. Members run with
 * the shim: their clock can be wrong and their disk can lose power.
 *
 * Thread: main's. Functions abort where the machine fails them, and report what a member did.
 */
#ifndef TESTS_FAULT_CLUSTER_H
#define TESTS_FAULT_CLUSTER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "tests/fault/image.h"
#include "tests/fault/shim.h"

#define CLUSTER_MEMBERS_MAX    5
#define CLUSTER_PATH_BYTES     128
#define CLUSTER_DISK_MEGABYTES 2048

struct cluster_member {
    char name[8];
    char address[32];
    int namespace; /* of the network */
    pid_t pid;     /* 0: not running */
    bool may_end;  /* its end is expected: a full disk */
    char data[CLUSTER_PATH_BYTES];
    char image[CLUSTER_PATH_BYTES];
    char control_path[CLUSTER_PATH_BYTES];
    char log[CLUSTER_PATH_BYTES];
    struct shim_control *control;
};

struct cluster {
    unsigned count;
    char programs[CLUSTER_PATH_BYTES * 2]; /* gantryd, fault_shim.so */
    char folder[CLUSTER_PATH_BYTES / 2];
    int fabric;
    bool power; /* disks can lose power: the shim keeps an image */
    struct cluster_member members[CLUSTER_MEMBERS_MAX];
};

/* NULL, or why this machine cannot make namespaces and rules. */
const char *cluster_cannot(void);
void cluster_init(struct cluster *c, const char *programs, unsigned count, bool power);
/* Ends the members; copies their logs to `logs`-<name>.log unless NULL. */
void cluster_deinit(struct cluster *c, const char *logs);

void cluster_start(struct cluster *c, unsigned i);
void cluster_kill(struct cluster *c, unsigned i); /* -9, and gone when it returns */
void cluster_stop(struct cluster *c, unsigned i); /* SIGSTOP */
void cluster_continue(struct cluster *c, unsigned i);
/* Says who ended by itself. False: one of whom that was not expected; its last lines are printed.
 */
bool cluster_alive(struct cluster *c);
bool cluster_said(const struct cluster *c, unsigned i, const char *words); /* in its log */

/* What `from` sends to `to` is dropped on arrival. */
void cluster_drop(struct cluster *c, unsigned from, unsigned to);
void cluster_isolate(struct cluster *c, unsigned i); /* from and to every other member */
void cluster_heal(struct cluster *c);

void cluster_disk_full(struct cluster *c, unsigned i, unsigned free_kilobytes);
void cluster_disk_space(struct cluster *c, unsigned i);
void cluster_clock(struct cluster *c, unsigned i, int64_t offset_s);
/* The member is not running. */
void cluster_lose_power(struct cluster *c, unsigned i, enum image_loss loss, uint64_t *rng);

#endif
