/* Reading the machine (see the header). */
#include "kubelet-lite/node_facts.h"

#include "base/arena.h"
#include "base/env.h"

#define FILE_BYTES_MAX (256u << 10)

static struct str read_text(struct env *env, struct arena *a, const char *path)
{
    struct str s = { "", 0 };
    if (env_file_read(env, a, path, FILE_BYTES_MAX, &s, NULL) != 0)
        return (struct str){ "", 0 };
    while (s.len > 0 && (s.data[s.len - 1] == '\n' || s.data[s.len - 1] == ' '))
        s.len--;
    return s;
}

int64_t meminfo_bytes(struct str meminfo, const char *key)
{
    struct str line;
    struct str wanted = str_from(key);
    while (str_split(&meminfo, '\n', &line)) {
        if (!str_starts(line, wanted) || line.len <= wanted.len || line.data[wanted.len] != ':')
            continue;
        struct str rest = str_trim(str_slice(line, wanted.len + 1, line.len));
        struct str number;
        uint64_t kib;
        if (str_split(&rest, ' ', &number) && str_to_u64(number, &kib) == 0 &&
            kib < (UINT64_MAX >> 12))
            return (int64_t)(kib * 1024);
    }
    return -1;
}

const char *os_release_name(struct arena *a, struct str text)
{
    struct str line;
    const struct str key = STR("PRETTY_NAME=");
    while (str_split(&text, '\n', &line)) {
        if (!str_starts(line, key))
            continue;
        struct str value = str_trim(str_slice(line, key.len, line.len));
        if (value.len >= 2 && value.data[0] == '"' && value.data[value.len - 1] == '"')
            value = str_slice(value, 1, value.len - 1);
        return str_dup(a, value);
    }
    return "Linux";
}

static const char *architecture(void)
{
#if defined(__x86_64__)
    return "amd64";
#elif defined(__aarch64__)
    return "arm64";
#elif defined(__riscv)
    return "riscv64";
#else
    return "unknown";
#endif
}

int node_facts_read(struct env *env, struct arena *a, const char *root, struct node_facts *out,
                    struct err *e)
{
    uint64_t total = 0;
    uint64_t free_bytes = 0;
    struct str meminfo = read_text(env, a, "/proc/meminfo");
    int rc = env_disk_space(env, root, &total, &free_bytes, e);
    if (rc != 0)
        return rc;
    *out = (struct node_facts){
        .cpus = env_cpus(env),
        .memory_bytes = meminfo_bytes(meminfo, "MemTotal"),
        .disk_bytes = (int64_t)total,
        .machine_id = str_dup(a, read_text(env, a, "/etc/machine-id")),
        .system_uuid = str_dup(a, read_text(env, a, "/sys/class/dmi/id/product_uuid")),
        .boot_id = str_dup(a, read_text(env, a, "/proc/sys/kernel/random/boot_id")),
        .kernel = str_dup(a, read_text(env, a, "/proc/sys/kernel/osrelease")),
        .os_image = os_release_name(a, read_text(env, a, "/etc/os-release")),
        .architecture = architecture()
    };
    if (out->memory_bytes <= 0)
        return err_set(e, ERR_IO, "/proc/meminfo says nothing of MemTotal");
    if (out->system_uuid[0] == '\0')
        out->system_uuid = out->machine_id;
    return 0;
}

/* The fourth field of /proc/loadavg is running/all threads. */
static bool pids_short(struct env *env, struct arena *a)
{
    struct str load = read_text(env, a, "/proc/loadavg");
    struct str field = { "", 0 };
    struct str all;
    uint64_t threads;
    uint64_t max;
    for (int i = 0; i < 4; i++)
        if (!str_split(&load, ' ', &field))
            return false;
    if (!str_split(&field, '/', &all) || str_to_u64(field, &threads) != 0 ||
        str_to_u64(read_text(env, a, "/proc/sys/kernel/pid_max"), &max) != 0 || max == 0)
        return false;
    return threads * 100 > max * (100 - NODE_PIDS_FREE_PERCENT);
}

void node_pressure_read(struct env *env, const char *root, struct node_pressure *out)
{
    struct arena a;
    uint64_t total = 0;
    uint64_t free_bytes = 0;
    arena_init(&a);
    int64_t available = meminfo_bytes(read_text(env, &a, "/proc/meminfo"), "MemAvailable");
    *out = (struct node_pressure){ 0 };
    out->memory = available >= 0 && available < NODE_MEMORY_AVAILABLE_MIN;
    if (env_disk_space(env, root, &total, &free_bytes, NULL) == 0 && total > 0)
        out->disk = free_bytes < total / 100 * NODE_DISK_FREE_PERCENT;
    out->pids = pids_short(env, &a);
    arena_deinit(&a);
}
