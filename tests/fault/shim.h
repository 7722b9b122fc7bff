/*
 * What a member under fault injection is told: a page that the harness and the shim share, and the
 * names of the environment by which the shim finds its things.
 */
#ifndef TESTS_FAULT_SHIM_H
#define TESTS_FAULT_SHIM_H

#include <stdatomic.h>
#include <stdint.h>

#define SHIM_CONTROL "FAULT_CONTROL" /* file of one struct shim_control */
#define SHIM_ROOT    "FAULT_ROOT"    /* folder with a file system of its own: the member's disk */
#define SHIM_IMAGE   "FAULT_IMAGE"   /* folder: what of it is on stable storage (image.h) */

struct shim_control {
    _Atomic int64_t clock_offset_ns; /* added to the wall clock */
    _Atomic uint32_t disk_lies;      /* flushes say they are done and are not */
};

#endif
