/*
 * What this machine allows: the time to make 4 KiB durable (a write in place and fdatasync), and a
 * round trip of 64 bytes over loopback TCP between two processes.
 *
 *   limit_bench FOLDER [SECONDS]: limit NAME p50_us=N p99_us=N
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/samples.h"

#define BLOCK_BYTES   4096
#define FILE_BLOCKS   256
#define MESSAGE_BYTES 64

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void print_limit(const char *name, struct samples *s)
{
    samples_sort(s);
    printf("limit %s p50_us=%u p99_us=%u\n", name, samples_at(s, 0.5), samples_at(s, 0.99));
    samples_deinit(s);
}

static int fail(const char *what)
{
    perror(what);
    return 1;
}

/* The file's blocks are written once first: later flushes carry no allocation. */
static int measure_flush(const char *folder, uint64_t for_ns)
{
    static char block[BLOCK_BYTES];
    struct samples s = { 0 };
    char path[512];
    snprintf(path, sizeof path, "%s/limit-XXXXXX", folder);
    int fd = mkstemp(path);
    if (fd < 0)
        return fail(path);
    (void)unlink(path);
    for (int i = 0; i < FILE_BLOCKS; i++)
        if (pwrite(fd, block, sizeof block, i * BLOCK_BYTES) != BLOCK_BYTES)
            return fail("pwrite");
    if (fsync(fd) != 0)
        return fail("fsync");
    uint64_t end = now_ns() + for_ns;
    for (uint64_t began = now_ns(); began < end; began = now_ns()) {
        memset(block, (int)s.count, sizeof block);
        off_t at = (off_t)(s.count % FILE_BLOCKS) * BLOCK_BYTES;
        if (pwrite(fd, block, sizeof block, at) != BLOCK_BYTES || fdatasync(fd) != 0)
            return fail("fdatasync");
        samples_add(&s, (now_ns() - began) / 1000);
    }
    close(fd);
    print_limit("flush", &s);
    return 0;
}

static bool exchange(int fd, bool first)
{
    static char bytes[MESSAGE_BYTES];
    if (first && send(fd, bytes, sizeof bytes, MSG_NOSIGNAL) != MESSAGE_BYTES)
        return false;
    if (recv(fd, bytes, sizeof bytes, MSG_WAITALL) != MESSAGE_BYTES)
        return false;
    return first || send(fd, bytes, sizeof bytes, MSG_NOSIGNAL) == MESSAGE_BYTES;
}

static int connected(const struct sockaddr_in *to)
{
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)to, sizeof *to) != 0)
        return -1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static int measure_round_trip(uint64_t for_ns)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t len = sizeof a;
    struct samples s = { 0 };
    int one = 1;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&a, sizeof a) != 0 ||
        listen(listener, 1) != 0 || getsockname(listener, (struct sockaddr *)&a, &len) != 0)
        return fail("listen");
    pid_t peer = fork();
    if (peer == 0) {
        int fd = connected(&a);
        while (fd >= 0 && exchange(fd, false)) {
        }
        _exit(0);
    }
    int fd = accept(listener, NULL, NULL);
    if (fd < 0)
        return fail("accept");
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    uint64_t end = now_ns() + for_ns;
    for (uint64_t began = now_ns(); began < end && exchange(fd, true); began = now_ns())
        samples_add(&s, (now_ns() - began) / 1000);
    close(fd);
    close(listener);
    (void)waitpid(peer, NULL, 0);
    print_limit("round-trip", &s);
    return 0;
}

int main(int argc, char **argv)
{
    uint64_t for_ns = (uint64_t)(argc > 2 ? atoi(argv[2]) : 1) * 1000000000u;
    if (argc < 2) {
        fprintf(stderr, "usage: limit_bench FOLDER [SECONDS]\n");
        return 2;
    }
    return measure_flush(argv[1], for_ns) != 0 || measure_round_trip(for_ns) != 0;
}
