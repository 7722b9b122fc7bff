/*
 * What the process takes of its machine, by the names that every Prometheus client library gives
 * it: CPU, memory, open files, and since when it runs. Looked at when /metrics is asked for.
 */
#ifndef BASE_PROCESS_METRICS_H
#define BASE_PROCESS_METRICS_H

/* Once, when the process begins, before threads run: now is its start. */
void process_metrics_register(void);

#endif
