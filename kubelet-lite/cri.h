/*
 * The container runtime interface, v1, over gRPC on a unix socket.
 *
 * One connection carries all calls; it is made when a call needs it and again after it broke. No
 * pings: containerd drops clients that ping, the end of the stream says enough. A call whose
 * connection is lost ends with -ERR_UNAVAILABLE: its outcome is unknown, the caller looks again.
 *
 * struct cri_call is embedded by its caller, zeroed before first use, alive from cri_call_start
 * until done; it may be started again from there. Everything on the loop of cri_new.
 */
#ifndef KUBELET_LITE_CRI_H
#define KUBELET_LITE_CRI_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/env.h"
#include "base/err.h"
#include "net/grpc.h"

struct cri;

/* X(name, service, deadline in seconds) */
#define CRI_METHODS(X)                                                                             \
    X(VERSION, version, Version, RuntimeService, 10)                                               \
    X(STATUS, status, Status, RuntimeService, 10)                                                  \
    X(RUN_POD_SANDBOX, run_pod_sandbox, RunPodSandbox, RuntimeService, 240)                        \
    X(STOP_POD_SANDBOX, stop_pod_sandbox, StopPodSandbox, RuntimeService, 120)                     \
    X(REMOVE_POD_SANDBOX, remove_pod_sandbox, RemovePodSandbox, RuntimeService, 120)               \
    X(POD_SANDBOX_STATUS, pod_sandbox_status, PodSandboxStatus, RuntimeService, 30)                \
    X(LIST_POD_SANDBOX, list_pod_sandbox, ListPodSandbox, RuntimeService, 30)                      \
    X(CREATE_CONTAINER, create_container, CreateContainer, RuntimeService, 240)                    \
    X(START_CONTAINER, start_container, StartContainer, RuntimeService, 240)                       \
    X(STOP_CONTAINER, stop_container, StopContainer, RuntimeService, 120)                          \
    X(REMOVE_CONTAINER, remove_container, RemoveContainer, RuntimeService, 120)                    \
    X(LIST_CONTAINERS, list_containers, ListContainers, RuntimeService, 30)                        \
    X(CONTAINER_STATUS, container_status, ContainerStatus, RuntimeService, 30)                     \
    X(EXEC, exec, Exec, RuntimeService, 30)                                                        \
    X(ATTACH, attach, Attach, RuntimeService, 30)                                                  \
    X(PORT_FORWARD, port_forward, PortForward, RuntimeService, 30)                                 \
    X(IMAGE_STATUS, image_status, ImageStatus, ImageService, 30)                                   \
    X(PULL_IMAGE, pull_image, PullImage, ImageService, 900)

enum cri_method {
#define CRI_ENUM(upper, lower, name, service, seconds) CRI_##upper,
    CRI_METHODS(CRI_ENUM)
#undef CRI_ENUM
        CRI_METHOD_COUNT
};

struct cri_call {
    void (*done)(struct cri_call *c);
    void *priv;
    uint64_t extra_ms; /* added to the method's deadline: a stop's grace */

    int status;        /* 0 or -ERR_X, as in err */
    struct err err;    /* the runtime's own words */
    const void *reply; /* Runtime__V1__XResponse of the method, in arena, until started again */
    struct arena arena;

    enum cri_method method;
    struct cri *cri;
    struct grpc_call grpc;
};

/* address: "unix:PATH". lost: the connection went or could not be made; for information. */
struct cri *cri_new(struct env_loop *loop, const char *address, void (*lost)(void *ctx), void *ctx);
/* Open calls end with -ERR_CANCELED; then closed is called and c is gone. */
void cri_close(struct cri *c, void (*closed)(void *ctx), void *ctx);

/* request: Runtime__V1__XRequest of the method, borrowed for the call. */
void cri_call_start(struct cri *c, struct cri_call *call, enum cri_method method,
                    const void *request);
bool cri_call_active(const struct cri_call *call);
void cri_call_deinit(struct cri_call *call); /* not while active */

/*
 * containerd tells when something ended, sooner than a list would: told is called with the id of
 * the container or sandbox. Only a hint: the runtime's lists show it some milliseconds later, and a
 * runtime without this service never calls. The stream ends with the connection: cri_watch again
 * (it does nothing while the stream is open).
 */
void cri_watch(struct cri *c, void (*told)(void *ctx, const char *id));

/* For messages made in an arena: unpacking never frees. */
ProtobufCAllocator cri_allocator(struct arena *a);
/* The connection itself, for other services on the runtime's socket. */
struct http_client *cri_connection(struct cri *c);

#endif
