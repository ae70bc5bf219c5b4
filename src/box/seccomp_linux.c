#include "box/seccomp_linux.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#if defined __x86_64__
#define ARCH AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define ARCH AUDIT_ARCH_AARCH64
#else
#error "seccomp: teach this file the audit constant of the architecture"
#endif

/* Calls without a look at their arguments. No socket is made, no program started, nothing mounted
 * or traced; files are opened freely here because Landlock says which. */
static const int allowed[] = {
    /* memory: Wasmtime maps, protects and makes executable what it compiled */
    SYS_mmap,
    SYS_munmap,
    SYS_mprotect,
    SYS_mremap,
    SYS_madvise,
    SYS_brk,
    SYS_memfd_create,
    /* threads and time */
    SYS_futex,
    SYS_set_robust_list,
    SYS_rseq,
    SYS_gettid,
    SYS_getpid,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_nanosleep,
    SYS_clock_nanosleep,
    SYS_clock_gettime,
    SYS_clock_getres,
    SYS_gettimeofday,
    SYS_membarrier,
    SYS_restart_syscall,
    SYS_exit,
    SYS_exit_group,
    /* signals: traps of guests arrive as SIGSEGV, SIGILL, SIGFPE */
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_sigaltstack,
    /* its sockets and wake-ups */
    SYS_sendmsg,
    SYS_recvmsg,
    SYS_sendto,
    SYS_recvfrom,
    SYS_ppoll,
    SYS_eventfd2,
    SYS_epoll_create1,
    SYS_epoll_ctl,
    SYS_epoll_pwait,
    /* files */
    SYS_openat,
    SYS_openat2,
    SYS_close,
    SYS_read,
    SYS_readv,
    SYS_pread64,
    SYS_preadv,
    SYS_preadv2,
    SYS_write,
    SYS_writev,
    SYS_pwrite64,
    SYS_pwritev,
    SYS_pwritev2,
    SYS_lseek,
    SYS_fstat,
    SYS_newfstatat,
    SYS_statx,
    SYS_fstatfs,
    SYS_getdents64,
    SYS_mkdirat,
    SYS_unlinkat,
    SYS_linkat,
    SYS_symlinkat,
    SYS_readlinkat,
    SYS_renameat,
    SYS_renameat2,
    SYS_utimensat,
    SYS_ftruncate,
    SYS_fallocate,
    SYS_fadvise64,
    SYS_fsync,
    SYS_fdatasync,
    SYS_sync_file_range,
    SYS_dup,
    SYS_fcntl,
    SYS_faccessat,
    SYS_copy_file_range,
    /* the rest */
    SYS_getrandom,
    SYS_getuid,
    SYS_geteuid,
    SYS_getgid,
    SYS_getegid,
    SYS_getppid,
    SYS_uname,
    SYS_sysinfo,
    SYS_capget,
#ifdef __x86_64__
    SYS_poll,
    SYS_epoll_wait,
    SYS_open,
    SYS_stat,
    SYS_lstat,
    SYS_mkdir,
    SYS_unlink,
    SYS_rmdir,
    SYS_rename,
    SYS_readlink,
    SYS_access,
#endif
};

#define MAX_FILTER (2 * BX_ARRAY_LEN(allowed) + 64)

struct program {
    struct sock_filter f[MAX_FILTER];
    unsigned short n;
};

static void add(struct program *p, unsigned code, unsigned k, unsigned jt, unsigned jf) {
    assert(p->n < MAX_FILTER);
    p->f[p->n++] =
        (struct sock_filter){(unsigned short)code, (unsigned char)jt, (unsigned char)jf, k};
}

static void ret(struct program *p, unsigned what) {
    add(p, BPF_RET | BPF_K, what, 0, 0);
}

static void load(struct program *p, size_t offset) {
    add(p, BPF_LD | BPF_W | BPF_ABS, (unsigned)offset, 0, 0);
}

/* Low half of argument i; all machines here are little endian. */
static size_t arg_low(size_t i) {
    return offsetof(struct seccomp_data, args) + 8 * i;
}

/* "call nr: …" with a body of count instructions that ends in a return */
static void on(struct program *p, int nr, unsigned count) {
    add(p, BPF_JMP | BPF_JEQ | BPF_K, (unsigned)nr, 0, count);
}

static void with_arguments(struct program *p) {
    /* Threads, not processes: glibc asks clone3 first and takes clone when it is told that there is
     * none. */
    on(p, SYS_clone3, 1);
    ret(p, SECCOMP_RET_ERRNO | ENOSYS);
    on(p, SYS_clone, 4);
    load(p, arg_low(0));
    add(p, BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1);
    ret(p, SECCOMP_RET_ALLOW);
    ret(p, SECCOMP_RET_ERRNO | EPERM);
    /* Names of threads and of memory (glibc and Rust give both); what the probe reads back */
    on(p, SYS_prctl, 7);
    load(p, arg_low(0));
    add(p, BPF_JMP | BPF_JEQ | BPF_K, PR_SET_NAME, 3, 0);
    add(p, BPF_JMP | BPF_JEQ | BPF_K, 0x53564d41 /* PR_SET_VMA */, 2, 0);
    add(p, BPF_JMP | BPF_JEQ | BPF_K, PR_GET_NO_NEW_PRIVS, 1, 0);
    add(p, BPF_JMP | BPF_JEQ | BPF_K, PR_GET_PDEATHSIG, 0, 1);
    ret(p, SECCOMP_RET_ALLOW);
    ret(p, SECCOMP_RET_ERRNO | EPERM);
    /* A signal to itself: abort() */
    on(p, SYS_tgkill, 4);
    load(p, arg_low(0));
    add(p, BPF_JMP | BPF_JEQ | BPF_K, (unsigned)getpid(), 0, 1);
    ret(p, SECCOMP_RET_ALLOW);
    ret(p, SECCOMP_RET_ERRNO | EPERM);
    /* Its own limits may be read (a thread's stack size), not set: pid 0, new limit NULL */
    on(p, SYS_prlimit64, 8);
    load(p, arg_low(0));
    add(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 5);
    load(p, arg_low(2));
    add(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3);
    load(p, arg_low(2) + 4);
    add(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1);
    ret(p, SECCOMP_RET_ALLOW);
    ret(p, SECCOMP_RET_ERRNO | EPERM);
}

int bx_seccomp_install(void) {
    struct program p = {.n = 0};
    load(&p, offsetof(struct seccomp_data, arch));
    add(&p, BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
    ret(&p, SECCOMP_RET_KILL_PROCESS);
    load(&p, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < BX_ARRAY_LEN(allowed); i++) {
        on(&p, allowed[i], 1);
        ret(&p, SECCOMP_RET_ALLOW);
    }
    with_arguments(&p);
    ret(&p, SECCOMP_RET_ERRNO | EPERM);
    struct sock_fprog program = {p.n, p.f};
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0) {
        return -errno;
    }
    return 0;
}
