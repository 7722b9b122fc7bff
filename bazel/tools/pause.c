/*
 * The pause container's only program: holds a pod's namespaces, reaps orphans, ends on TERM or INT.
 * Freestanding on x86-64: no libc, so the image is a few kilobytes. Built by bazel/dev/images.sh.
 */

enum { SYS_RT_SIGPROCMASK = 14, SYS_RT_SIGTIMEDWAIT = 128, SYS_WAIT4 = 61, SYS_EXIT_GROUP = 231 };
enum { SIG_INT = 2, SIG_TERM = 15, SIG_CHLD = 17, WAIT_NOHANG = 1, SIGSET_BYTES = 8 };

static long call(long number, long a, long b, long c, long d)
{
    long result;
    register long r10 __asm__("r10") = d;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
                     : "rcx", "r11", "memory");
    return result;
}

__attribute__((noreturn)) void _start(void);

void _start(void)
{
    unsigned long set = (1ul << (SIG_INT - 1)) | (1ul << (SIG_TERM - 1)) | (1ul << (SIG_CHLD - 1));
    (void)call(SYS_RT_SIGPROCMASK, 0, (long)&set, 0, SIGSET_BYTES);
    for (;;) {
        long signal = call(SYS_RT_SIGTIMEDWAIT, (long)&set, 0, 0, SIGSET_BYTES);
        if (signal == SIG_INT || signal == SIG_TERM)
            (void)call(SYS_EXIT_GROUP, 0, 0, 0, 0);
        while (call(SYS_WAIT4, -1, 0, WAIT_NOHANG, 0) > 0)
            ;
    }
}
