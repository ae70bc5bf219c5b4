#include "loop/deny_linux.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>

static const unsigned denied[] = {
    SYS_ptrace,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_setns,
    SYS_unshare,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_userfaultfd,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_open_by_handle_at,
    SYS_name_to_handle_at,
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_kill,
    SYS_tkill,
    SYS_pidfd_open,
    SYS_pidfd_getfd,
    SYS_pidfd_send_signal,
    SYS_acct,
    SYS_quotactl,
    SYS_personality,
    SYS_memfd_secret,
#ifdef SYS_fork
    SYS_ioperm,
    SYS_iopl,
#endif
};

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#error "no seccomp filter for this architecture"
#endif

#define REFUSE(e) (SECCOMP_RET_ERRNO | (e))
#define LOAD(field)                                                                                \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)(offsetof(struct seccomp_data, field)))

struct program {
    struct sock_filter code[BX_ARRAY_LEN(denied) * 2 + 60];
    unsigned short n;
};

static void add(struct program *p, struct sock_filter f) {
    assert(p->n < BX_ARRAY_LEN(p->code));
    p->code[p->n++] = f;
}

#define ADD(...)                  add(p, (struct sock_filter)__VA_ARGS__)
#define RETURN(value)             ADD(BPF_STMT(BPF_RET | BPF_K, (value)))
#define UNLESS(test, value, jump) ADD(BPF_JUMP(BPF_JMP | (test) | BPF_K, (value), 0, (jump)))

static void refuse(struct program *p, unsigned nr) {
    UNLESS(BPF_JEQ, nr, 1);
    RETURN(REFUSE(EPERM));
}

static void refuse_processes(struct program *p) {
    /* the flags of clone3 are behind a pointer: say that it is not there, and the C library uses
     * clone */
    UNLESS(BPF_JEQ, SYS_clone3, 1);
    RETURN(REFUSE(ENOSYS));
    UNLESS(BPF_JEQ, SYS_clone, 4);
    ADD(LOAD(args[0]));
    UNLESS(BPF_JSET, CLONE_THREAD, 1);
    RETURN(SECCOMP_RET_ALLOW);
    RETURN(REFUSE(EPERM));
#ifdef SYS_fork
    refuse(p, SYS_fork);
    refuse(p, SYS_vfork);
#endif
}

static void refuse_sockets(struct program *p, bool all) {
    refuse(p, SYS_connect);
    if (all) {
        refuse(p, SYS_socket);
        refuse(p, SYS_socketpair);
        return;
    }
    UNLESS(BPF_JEQ, SYS_socket, 4);
    ADD(LOAD(args[0]));
    UNLESS(BPF_JEQ, AF_UNIX, 1);
    RETURN(SECCOMP_RET_ALLOW);
    RETURN(REFUSE(EACCES));
}

int bx_deny_install(unsigned what, struct bx_err *err) {
    struct program program = {.n = 0}, *p = &program;
    ADD(LOAD(arch));
    ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0));
    RETURN(SECCOMP_RET_KILL_PROCESS);
    ADD(LOAD(nr));
#if defined(__x86_64__)
    UNLESS(BPF_JGE, 0x40000000u, 1); /* the x32 calls */
    RETURN(REFUSE(EPERM));
#endif
    for (size_t i = 0; i < BX_ARRAY_LEN(denied); i++)
        refuse(p, denied[i]);
    if (what & BX_DENY_EXEC) {
        refuse(p, SYS_execve);
        refuse(p, SYS_execveat);
    }
    if (what & BX_DENY_PROCESSES)
        refuse_processes(p);
    refuse_sockets(p, what & BX_DENY_SOCKETS);
    RETURN(SECCOMP_RET_ALLOW);
    struct sock_fprog filter = {.len = p->n, .filter = p->code};
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter) != 0)
        return bx_fail_errno(err, errno, "seccomp");
    return 0;
}
