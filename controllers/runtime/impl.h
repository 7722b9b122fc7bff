/* Inside controllers/runtime: the structs its files share. */
#ifndef CONTROLLERS_RUNTIME_IMPL_H
#define CONTROLLERS_RUNTIME_IMPL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/list.h"
#include "base/map.h"
#include "controllers/runtime/events.h"
#include "controllers/runtime/memory.h"
#include "controllers/runtime/runtime.h"

struct engine;
struct pass;

/* One action under way. */
struct slot {
    struct client_call call;
    struct pass *pass;
    const struct action *action;
    struct buf body;
    struct str name; /* of a created object: in the pass's arena */
    char request_id[CLIENT_REQUEST_ID_MAX + 1];
    struct env_timer timer; /* until it is sent again */
    uint32_t attempts;
    bool in_flight;
    bool waiting; /* for the timer */
};

/* What a lister has to show before the key may run again. */
struct pending_write {
    enum kind kind;
    uint64_t revision; /* 0: uid is to be gone or terminating */
    struct str namespace;
    struct str name;
    struct str uid;
};

/* One reconcile of one key, from get to done. */
struct pass {
    struct list node; /* in runtime.passes */
    struct engine *engine;
    struct str key_text; /* in the arena */
    struct arena arena;
    struct actions actions;
    uint64_t decision;
    size_t next;   /* first action not started */
    size_t window; /* how many alike actions may start together now */
    struct slot *slots;
    size_t slots_count;
    size_t slots_live;
    bool stop; /* an action ended the list early */
    struct err error;
    enum kind error_kind;
    struct pending_write *writes;
    size_t writes_count;
    size_t writes_capacity;
    bool executing;
};

/* One controller of a generation. */
struct engine {
    struct runtime *rt;
    const struct controller *controller;
    struct workqueue *queue;
    uint32_t running;
    struct memory memory;
    struct map failures; /* key text -> struct failure, of keys whose last attempt failed */
};

struct failure {
    struct err error;
    enum kind kind;
};

struct kind_source {
    struct runtime *rt;
    enum kind kind;
    struct reflector *reflector;
};

struct runtime {
    struct runtime_config config;
    struct kind_source sources[KIND_COUNT];
    struct lister *listers[KIND_COUNT];
    struct engine *engines;
    size_t engines_count;
    struct event_recorder *recorder;
    struct list passes;
    struct env_timer sample_timer;
    struct env_msg stopped_msg;
    uint64_t nonce;
    uint64_t decisions;
    bool synced;
    bool stopping;
    bool starting; /* reflectors are being made */
    bool gone_posted;
};

/* pass.c */
void pass_start(struct engine *en, struct str key_text);
/* Looks whether the writes are visible now, and ends the pass if so. */
void pass_check(struct pass *p);
/* Cancels; the pass goes when nothing of it is in flight. */
void pass_cancel(struct pass *p);

/* execute.c: runs p->actions; calls pass_executed when all are done or the list ended. */
void execute(struct pass *p);
void execute_cancel(struct pass *p);
void pass_executed(struct pass *p);

/* runtime.c */
void runtime_fenced(struct runtime *rt);
void runtime_pass_ended(struct engine *en);

#endif
