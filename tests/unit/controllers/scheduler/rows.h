/* Snapshots and pod rows from JSON, for tests of the decision. */
#ifndef TESTS_UNIT_CONTROLLERS_SCHEDULER_ROWS_H
#define TESTS_UNIT_CONTROLLERS_SCHEDULER_ROWS_H

#include "controllers/scheduler/decide.h"

/* cpu, memory and pods as quantities; more: further members of the node ("\"spec\":{...},"). */
void rows_node(struct snapshot *s, const char *name, const char *cpu, const char *memory, int pods,
               const char *more);
/* spec: members of the pod's spec besides containers; resources: requests of its one container. */
void rows_pod(struct snapshot *s, struct pod_row *row, const char *requests, const char *spec);
/* Puts such a pod on a node. */
void rows_place(struct snapshot *s, const char *node, const char *requests);

#endif
