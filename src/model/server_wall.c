#include "model/server_wall.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/file.h"
#include "base/unwire.h"

/* Newer than some headers; the numbers are the kernel's interface. */
#define FS_REFER     (1ull << 13) /* ABI 2 */
#define FS_TRUNCATE  (1ull << 14) /* ABI 3 */
#define FS_IOCTL_DEV (1ull << 15) /* ABI 5 */
#define NET_TCP      3ull         /* ABI 4: bind and connect */

struct ruleset_attr { /* struct landlock_ruleset_attr of ABI 4 */
    uint64_t fs, net;
};

static int allow(int ruleset, const char *path, uint64_t access, struct bx_err *err) {
    bx_auto(bx_fd_close) int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0) {
        return bx_fail_errno(err, errno, "%s", path);
    }
    struct landlock_path_beneath_attr rule = {.allowed_access = access, .parent_fd = fd};
    if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0) {
        return bx_fail_errno(err, errno, "landlock: %s", path);
    }
    return 0;
}

static int wall_files(const char *model_path, const char *socket_dir, bool *ret_up,
                      struct bx_err *err) {
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    *ret_up = false;
    if (abi < 1 || bx_unwired("model_landlock")) {
        return 0;
    }
    struct ruleset_attr attr = {.fs = (1ull << 13) - 1};
    attr.fs |= abi >= 2 ? FS_REFER : 0;
    attr.fs |= abi >= 3 ? FS_TRUNCATE : 0;
    attr.fs |= abi >= 5 ? FS_IOCTL_DEV : 0;
    attr.net = abi >= 4 ? NET_TCP : 0;
    bx_auto(bx_fd_close) int ruleset =
        (int)syscall(SYS_landlock_create_ruleset, &attr, abi >= 4 ? 16 : 8, 0);
    if (ruleset < 0) {
        return bx_fail_errno(err, errno, "landlock");
    }
    int r = allow(ruleset, model_path, LANDLOCK_ACCESS_FS_READ_FILE, err);
    if (r == 0) {
        r = allow(ruleset, socket_dir,
                  LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_MAKE_SOCK |
                      LANDLOCK_ACCESS_FS_REMOVE_FILE,
                  err);
    }
    if (r == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0) {
        r = bx_fail_errno(err, errno, "landlock");
    }
    *ret_up = r == 0;
    return r;
}

static const unsigned denied[] = {
    SYS_execve,
    SYS_execveat,
    SYS_connect,
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
    SYS_fork,
    SYS_vfork,
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

static int wall_calls(struct bx_err *err) {
    struct sock_filter code[BX_ARRAY_LEN(denied) * 2 + 40];
    unsigned short n = 0;
#define ADD(...)                  code[n++] = (struct sock_filter)__VA_ARGS__
#define RETURN(value)             ADD(BPF_STMT(BPF_RET | BPF_K, (value)))
#define UNLESS(test, value, jump) ADD(BPF_JUMP(BPF_JMP | (test) | BPF_K, (value), 0, (jump)))
    ADD(LOAD(arch));
    ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0));
    RETURN(SECCOMP_RET_KILL_PROCESS);
    ADD(LOAD(nr));
#if defined(__x86_64__)
    UNLESS(BPF_JGE, 0x40000000u, 1); // the x32 calls
    RETURN(REFUSE(EPERM));
#endif
    for (size_t i = 0; i < BX_ARRAY_LEN(denied); i++) {
        UNLESS(BPF_JEQ, denied[i], 1);
        RETURN(REFUSE(EPERM));
    }
    // the flags of clone3 are behind a pointer: say that it is not there, and the C library uses
    // clone
    UNLESS(BPF_JEQ, SYS_clone3, 1);
    RETURN(REFUSE(ENOSYS));
    // threads, not processes
    UNLESS(BPF_JEQ, SYS_clone, 4);
    ADD(LOAD(args[0]));
    UNLESS(BPF_JSET, CLONE_THREAD, 1);
    RETURN(SECCOMP_RET_ALLOW);
    RETURN(REFUSE(EPERM));
    // Unix sockets only
    UNLESS(BPF_JEQ, SYS_socket, 4);
    ADD(LOAD(args[0]));
    UNLESS(BPF_JEQ, AF_UNIX, 1);
    RETURN(SECCOMP_RET_ALLOW);
    RETURN(REFUSE(EACCES));
    RETURN(SECCOMP_RET_ALLOW);
    struct sock_fprog program = {.len = n, .filter = code};
    if (bx_unwired("model_seccomp")) {
        return 0;
    }
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) != 0) {
        return bx_fail_errno(err, errno, "seccomp");
    }
    return 0;
}

int bx_server_wall(const char *model_path, const char *socket_dir, bool *ret_files,
                   struct bx_err *err) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        return bx_fail_errno(err, errno, "no_new_privs");
    }
    int r = wall_files(model_path, socket_dir, ret_files, err);
    return r < 0 ? r : wall_calls(err);
}
