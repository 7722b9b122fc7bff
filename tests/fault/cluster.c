/* Namespaces, processes and faults of a cluster; see the header. */
#include "tests/fault/cluster.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"

#define ARGS_MAX      40
#define COMMAND_BYTES 2048

/* ---- commands ---- */

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "fault: %s: %s\n", what, strerror(errno));
    exit(2);
}

/* In a child: its output goes away, it dies with us. */
static void child_prepare(int network, int output)
{
    int in = open("/dev/null", O_RDONLY);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (network >= 0 && setns(network, CLONE_NEWNET) != 0)
        _exit(126);
    dup2(in, 0);
    if (output >= 0) {
        dup2(output, 1);
        dup2(output, 2);
    }
}

/* Words of a command line, without quotes; the rest after " -- " is one word. */
static void split(char *line, char *argv[ARGS_MAX])
{
    char *tail = strstr(line, " -- ");
    char *rest = line;
    size_t n = 0;

    if (tail != NULL)
        *tail = '\0';
    for (char *word; (word = strsep(&rest, " ")) != NULL;) {
        ASSERT(n + 2 < ARGS_MAX);
        argv[n++] = word;
    }
    if (tail != NULL)
        argv[n++] = tail + 4;
    argv[n] = NULL;
}

static int run(int network, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int run(int network, const char *format, ...)
{
    char line[COMMAND_BYTES];
    char *argv[ARGS_MAX];
    int status = 0;
    va_list args;
    pid_t pid;

    va_start(args, format);
    ASSERT(vsnprintf(line, sizeof line, format, args) < (int)sizeof line);
    va_end(args);
    split(line, argv);
    pid = fork();
    must(pid >= 0, "fork");
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY);

        child_prepare(network, null);
        execvp(argv[0], argv);
        _exit(127);
    }
    while (waitpid(pid, &status, 0) < 0)
        must(errno == EINTR, "waitpid");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

#define MUST_RUN(...)                                                                              \
    do {                                                                                           \
        char line_[COMMAND_BYTES];                                                                 \
        errno = 0;                                                                                 \
        (void)snprintf(line_, sizeof line_, NTH_FORMAT(__VA_ARGS__));                              \
        must(run(__VA_ARGS__) == 0, line_);                                                        \
    } while (0)
#define NTH_FORMAT(network, ...) __VA_ARGS__

const char *cluster_cannot(void)
{
    if (geteuid() != 0)
        return "it needs root";
    if (run(-1, "ip -V") != 0)
        return "there is no ip (iproute2)";
    if (run(-1, "nft -v") != 0)
        return "there is no nft (nftables)";
    if (run(-1, "unshare --net --mount true") != 0)
        return "this system makes no namespaces";
    return NULL;
}

/* ---- the fabric ---- */

static int namespace_make(void)
{
    int fd;

    must(unshare(CLONE_NEWNET) == 0, "unshare");
    fd = open("/proc/self/ns/net", O_RDONLY);
    must(fd >= 0, "open the namespace");
    return fd;
}

static void make_network(struct cluster *c)
{
    c->fabric = namespace_make();
    MUST_RUN(-1, "ip link set lo up");
    MUST_RUN(-1, "ip link add br0 type bridge");
    MUST_RUN(-1, "ip addr add 10.251.0.254/24 dev br0");
    MUST_RUN(-1, "ip link set br0 up");
    for (unsigned i = 0; i < c->count; i++) {
        struct cluster_member *m = &c->members[i];

        m->namespace = namespace_make();
        must(setns(c->fabric, CLONE_NEWNET) == 0, "setns");
        MUST_RUN(-1, "ip link add v%u type veth peer name eth0 netns /proc/%d/fd/%d", i, getpid(),
                 m->namespace);
        MUST_RUN(-1, "ip link set v%u master br0 up", i);
        MUST_RUN(m->namespace, "ip link set lo up");
        MUST_RUN(m->namespace, "ip addr add %s/24 dev eth0", m->address);
        MUST_RUN(m->namespace, "ip link set eth0 up");
        MUST_RUN(m->namespace, "nft -- add table ip fault; add chain ip fault arrives "
                               "{ type filter hook input priority 0; }");
    }
}

/* ---- folders ---- */

static void make_folder(const char *path)
{
    must(mkdir(path, 0700) == 0, path);
}

static void mount_memory(const char *path, unsigned megabytes)
{
    char options[64];

    snprintf(options, sizeof options, "size=%um,mode=0700", megabytes);
    must(mount("tmpfs", path, "tmpfs", 0, options) == 0, path);
}

static struct shim_control *make_control(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    void *page;

    must(fd >= 0 && ftruncate(fd, sizeof(struct shim_control)) == 0, path);
    page = mmap(NULL, sizeof(struct shim_control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    must(page != MAP_FAILED, "mmap");
    close(fd);
    return page;
}

static void name_member(const struct cluster *c, struct cluster_member *m, unsigned i)
{
    snprintf(m->name, sizeof m->name, "m%u", i + 1);
    snprintf(m->address, sizeof m->address, "10.251.0.%u", 11 + i);
    snprintf(m->data, sizeof m->data, "%s/%s", c->folder, m->name);
    snprintf(m->image, sizeof m->image, "%s/%s.image", c->folder, m->name);
    snprintf(m->control_path, sizeof m->control_path, "%s/%s.control", c->folder, m->name);
    snprintf(m->log, sizeof m->log, "%s/%s.log", c->folder, m->name);
}

static void make_cluster(struct cluster *c)
{
    char members[512] = "";

    for (unsigned i = 0; i < c->count; i++) {
        size_t len = strlen(members);

        snprintf(members + len, sizeof members - len, " --member %s=%s", c->members[i].name,
                 c->members[i].address);
    }
    MUST_RUN(-1, "%s/gantryd init --out %s/cluster%s", c->programs, c->folder, members);
}

void cluster_init(struct cluster *c, const char *programs, unsigned count, bool power)
{
    ASSERT(count <= CLUSTER_MEMBERS_MAX);
    *c = (struct cluster){ .count = count, .power = power };
    snprintf(c->programs, sizeof c->programs, "%s", programs);
    snprintf(c->folder, sizeof c->folder, "/tmp/gantry-fault-XXXXXX");
    must(mkdtemp(c->folder) != NULL, c->folder);
    must(unshare(CLONE_NEWNS) == 0, "unshare");
    must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "mount");
    mount_memory(c->folder, 8 * CLUSTER_DISK_MEGABYTES);
    for (unsigned i = 0; i < count; i++) {
        struct cluster_member *m = &c->members[i];

        name_member(c, m, i);
        make_folder(m->data);
        mount_memory(m->data, CLUSTER_DISK_MEGABYTES);
        make_folder(m->image);
        m->control = make_control(m->control_path);
    }
    make_network(c);
    make_cluster(c);
}

void cluster_deinit(struct cluster *c, const char *logs)
{
    for (unsigned i = 0; i < c->count; i++) {
        struct cluster_member *m = &c->members[i];

        if (m->pid != 0)
            cluster_kill(c, i);
        if (logs != NULL)
            (void)run(-1, "cp %s %s-%s.log", m->log, logs, m->name); /* absent: it never ran */
        (void)umount2(m->data, MNT_DETACH);
        close(m->namespace);
    }
    (void)umount2(c->folder, MNT_DETACH);
    (void)rmdir(c->folder); /* the empty mount point, the only thing others could see */
    close(c->fabric);
}

/* ---- processes ---- */

static void member_environment(const struct cluster *c, const struct cluster_member *m)
{
    char shim[CLUSTER_PATH_BYTES * 3];

    snprintf(shim, sizeof shim, "%s/fault_shim.so", c->programs);
    setenv("LD_PRELOAD", shim, 1);
    setenv(SHIM_CONTROL, m->control_path, 1);
    if (!c->power)
        return;
    setenv(SHIM_ROOT, m->data, 1);
    setenv(SHIM_IMAGE, m->image, 1);
}

/* How a member is started: the only place that knows its flags. */
static void member_exec(const struct cluster *c, const struct cluster_member *m)
{
    char line[COMMAND_BYTES];
    char *argv[ARGS_MAX];

    snprintf(line, sizeof line,
             "%s/gantryd run --cluster %s/cluster --name %s --data %s/data --listen tcp:%s:6443",
             c->programs, c->folder, m->name, m->data, m->address);
    split(line, argv);
    execv(argv[0], argv);
    _exit(127);
}

void cluster_start(struct cluster *c, unsigned i)
{
    struct cluster_member *m = &c->members[i];

    ASSERT(m->pid == 0);
    m->pid = fork();
    must(m->pid >= 0, "fork");
    if (m->pid == 0) {
        int log = open(m->log, O_WRONLY | O_CREAT | O_APPEND, 0600);

        child_prepare(m->namespace, log);
        member_environment(c, m);
        member_exec(c, m);
    }
}

void cluster_kill(struct cluster *c, unsigned i)
{
    struct cluster_member *m = &c->members[i];

    if (m->pid == 0)
        return;
    kill(m->pid, SIGKILL);
    while (waitpid(m->pid, NULL, 0) < 0)
        must(errno == EINTR, "waitpid");
    m->pid = 0;
}

void cluster_stop(struct cluster *c, unsigned i)
{
    if (c->members[i].pid != 0)
        kill(c->members[i].pid, SIGSTOP);
}

void cluster_continue(struct cluster *c, unsigned i)
{
    if (c->members[i].pid != 0)
        kill(c->members[i].pid, SIGCONT);
}

bool cluster_alive(struct cluster *c)
{
    bool good = true;

    for (unsigned i = 0; i < c->count; i++) {
        struct cluster_member *m = &c->members[i];
        int status;

        if (m->pid == 0 || waitpid(m->pid, &status, WNOHANG) != m->pid)
            continue;
        m->pid = 0;
        printf("    %s ended by itself: %s %d\n", m->name, WIFSIGNALED(status) ? "signal" : "code",
               WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        if (m->may_end)
            continue;
        good = false;
        fflush(stdout);
        pid_t pid = fork();
        if (pid == 0) {
            execlp("tail", "tail", "-n", "15", m->log, (char *)NULL);
            _exit(127);
        }
        (void)waitpid(pid, NULL, 0); /* its output is for people */
    }
    return good;
}

bool cluster_said(const struct cluster *c, unsigned i, const char *words)
{
    FILE *log = fopen(c->members[i].log, "r");
    char *line = NULL;
    size_t capacity = 0;
    bool said = false;

    while (log != NULL && !said && getline(&line, &capacity, log) > 0)
        said = strstr(line, words) != NULL;
    free(line);
    if (log != NULL)
        fclose(log);
    return said;
}

/* ---- faults ---- */

void cluster_drop(struct cluster *c, unsigned from, unsigned to)
{
    MUST_RUN(c->members[to].namespace, "nft -- add rule ip fault arrives ip saddr %s drop",
             c->members[from].address);
}

void cluster_isolate(struct cluster *c, unsigned i)
{
    for (unsigned k = 0; k < c->count; k++) {
        if (k == i)
            continue;
        cluster_drop(c, k, i);
        cluster_drop(c, i, k);
    }
}

void cluster_heal(struct cluster *c)
{
    for (unsigned i = 0; i < c->count; i++)
        MUST_RUN(c->members[i].namespace, "nft -- flush chain ip fault arrives");
}

static bool resize(const struct cluster_member *m, uint64_t kilobytes)
{
    char options[64];

    snprintf(options, sizeof options, "size=%lluk,mode=0700", (unsigned long long)kilobytes);
    return mount("tmpfs", m->data, "tmpfs", MS_REMOUNT, options) == 0;
}

/* The member goes on writing meanwhile, and a size below what is used is refused. */
void cluster_disk_full(struct cluster *c, unsigned i, unsigned free_kilobytes)
{
    struct statfs s;

    do {
        must(statfs(c->members[i].data, &s) == 0, "statfs");
    } while (
        !resize(&c->members[i],
                (uint64_t)(s.f_blocks - s.f_bfree) * (uint64_t)s.f_bsize / 1024 + free_kilobytes));
}

void cluster_disk_space(struct cluster *c, unsigned i)
{
    must(resize(&c->members[i], (uint64_t)CLUSTER_DISK_MEGABYTES * 1024), "remount");
}

void cluster_clock(struct cluster *c, unsigned i, int64_t offset_s)
{
    atomic_store(&c->members[i].control->clock_offset_ns, offset_s * 1000000000);
}

void cluster_lose_power(struct cluster *c, unsigned i, enum image_loss loss, uint64_t *rng)
{
    struct image_lost lost;

    ASSERT(c->members[i].pid == 0);
    image_lose(c->members[i].data, c->members[i].image, loss, rng, &lost);
    printf("    %s lost power: %u pages and %u names gone, %u pages there though not flushed\n",
           c->members[i].name, lost.pages, lost.names, lost.kept);
}
