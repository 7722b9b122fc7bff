/* See the header. Threads that have ended are not counted: loops live as long as their process. */
#include "tests/bench/proc.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_BYTES 512

static void trim_name(char *name)
{
    name[strcspn(name, "\n")] = '\0';
    char *end = name + strlen(name);
    while (end > name && end[-1] >= '0' && end[-1] <= '9')
        end--;
    if (end > name && end[-1] == '-')
        end[-1] = '\0';
}

static void add_row(struct proc_cpu *c, const char *name, uint64_t ns)
{
    size_t i = 0;
    c->total_ns += ns;
    while (i < c->count && strcmp(c->rows[i].name, name) != 0)
        i++;
    if (i == PROC_NAMES_MAX)
        return;
    if (i == c->count)
        snprintf(c->rows[c->count++].name, sizeof c->rows[0].name, "%s", name);
    c->rows[i].ns += ns;
}

static FILE *open_in(const char *folder, const char *task, const char *file)
{
    char path[PATH_BYTES];
    int n = snprintf(path, sizeof path, "%s/%s/%s", folder, task, file);
    return n > 0 && n < (int)sizeof path ? fopen(path, "re") : NULL;
}

static void add_thread(struct proc_cpu *c, const char *folder, const char *task)
{
    char name[24] = "";
    uint64_t ns = 0;
    FILE *f = open_in(folder, task, "comm");
    if (f != NULL) {
        if (fgets(name, sizeof name, f) == NULL)
            name[0] = '\0';
        fclose(f);
    }
    trim_name(name);
    f = open_in(folder, task, "schedstat");
    if (f != NULL) {
        if (fscanf(f, "%" SCNu64, &ns) == 1)
            add_row(c, name, ns);
        fclose(f);
    }
}

/* Calls visit with "/proc/PID" for each. */
static void each_process(const char *pids, void (*visit)(void *ctx, const char *folder), void *ctx)
{
    char folder[64];
    while (*pids != '\0') {
        size_t len = strcspn(pids, ",");
        snprintf(folder, sizeof folder, "/proc/%.*s", (int)len, pids);
        visit(ctx, folder);
        pids += len + (pids[len] == ',');
    }
}

static void add_process(void *ctx, const char *folder)
{
    char tasks[PATH_BYTES];
    snprintf(tasks, sizeof tasks, "%s/task", folder);
    DIR *d = opendir(tasks);
    if (d == NULL)
        return;
    for (struct dirent *entry = readdir(d); entry != NULL; entry = readdir(d))
        if (entry->d_name[0] != '.')
            add_thread(ctx, tasks, entry->d_name);
    closedir(d);
}

void proc_cpu_add(struct proc_cpu *c, const char *pids)
{
    each_process(pids, add_process, c);
}

static uint64_t ns_of(const struct proc_cpu *c, const char *name)
{
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->rows[i].name, name) == 0)
            return c->rows[i].ns;
    return 0;
}

void proc_cpu_print(const struct proc_cpu *before, const struct proc_cpu *after, double operations)
{
    double total = (double)(after->total_ns - before->total_ns);
    if (operations <= 0)
        return;
    printf(" cpu_us=%.1f", total / operations / 1000);
    for (size_t i = 0; i < after->count; i++) {
        double used = (double)(after->rows[i].ns - ns_of(before, after->rows[i].name));
        if (used > total / 100)
            printf(" cpu_%s_us=%.1f", after->rows[i].name, used / operations / 1000);
    }
}

static bool is_database(const char *line)
{
    return strstr(line, "/data.mdb") != NULL || strstr(line, "/member/snap/db") != NULL;
}

static void add_memory(void *ctx, const char *folder)
{
    struct proc_memory *m = ctx;
    char line[PATH_BYTES];
    bool map = false;
    snprintf(line, sizeof line, "%s/smaps", folder);
    FILE *f = fopen(line, "re");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        uint64_t kib = 0;
        if (line[0] >= 'A' && line[0] <= 'Z') {
            if (sscanf(line, "Pss: %" SCNu64, &kib) == 1)
                *(map ? &m->map_kib : &m->pss_kib) += kib;
        } else {
            map = is_database(line);
        }
    }
    if (f != NULL)
        fclose(f);
}

struct proc_memory proc_memory_of(const char *pids)
{
    struct proc_memory m = { 0 };
    each_process(pids, add_memory, &m);
    return m;
}

/* The first number that a line of the file has in that form. */
static uint64_t number_in(const char *path, const char *form)
{
    char line[PATH_BYTES];
    uint64_t number = 0;
    FILE *f = fopen(path, "re");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (sscanf(line, form, &number) == 1)
            break;
    if (f != NULL)
        fclose(f);
    return number;
}

static void add_anonymous(void *ctx, const char *folder)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/status", folder);
    *(uint64_t *)ctx += number_in(path, "RssAnon: %" SCNu64);
}

uint64_t proc_anonymous_kib(const char *pids)
{
    uint64_t kib = 0;
    each_process(pids, add_anonymous, &kib);
    return kib;
}

uint64_t proc_written_bytes(void)
{
    return number_in("/proc/self/io", "wchar: %" SCNu64);
}

uint64_t proc_folder_bytes(const char *folder)
{
    char path[PATH_BYTES];
    struct stat st;
    uint64_t bytes = 0;
    DIR *d = opendir(folder);
    for (struct dirent *entry = d != NULL ? readdir(d) : NULL; entry != NULL; entry = readdir(d)) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        int n = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (n < 0 || n >= (int)sizeof path || lstat(path, &st) != 0)
            continue;
        bytes += S_ISDIR(st.st_mode) ? proc_folder_bytes(path) : (uint64_t)st.st_blocks * 512;
    }
    if (d != NULL)
        closedir(d);
    return bytes;
}
